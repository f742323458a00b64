"""Forms at a steady rate for a long time, with all six services reading what comes of them: latencies, memory and disk
over time. Then more than the machine can take, and how soon it is as before."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle

import asyncpg
import httpx
from rich.table import Table

from bench.client import Client, at_rate
from bench.figures import console, percentile
from bench.ground import Ground
from chaos.watch import SIZES, memory, topic_bytes
from deploy.local import kafka, postgres
from deploy.local.services import ServiceProcess
from deploy.local.stack import CHECKOUT

SERVICES = ("registration", "licensing", "supervision", "credit", "risk", "lobby")
PATH = "/v1/applications"
RATE, MINUTES, WINDOWS = 50.0, 1.0, 6
CROWD = ("applicant-1", "applicant-2", "applicant-3", "agent-1")
OVERLOAD_SECONDS, TIMES = 10.0, 10
PER_MINUTE = 6_000
"""What one account may do in a minute where nobody has said otherwise (libs/common/settings.py)."""
BACK_SECONDS = 120.0
SOON_SECONDS = 1.0
"""A form is answered within that before and after an overload."""
MIB = 1 << 20


@dataclass(slots=True)
class Seen:
    """What was answered, by status, and after how many seconds of the moment at which each was due to be sent. `bare`:
    refusals that do not say when to come again."""

    answers: Counter[int] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    bare: int = 0


async def send(port: int, rate: float, seconds: float, people: Sequence[str]) -> Seen:
    """Send at a fixed rate, whatever the answers do (open loop)."""
    seen, turn = Seen(), cycle(people)

    async def one(client: Client, due: float) -> None:
        try:
            answer = await client.send(PATH, person=next(turn))
        except (OSError, asyncio.IncompleteReadError):
            seen.answers[0] += 1
            client.close()
            return
        seen.answers[answer.status] += 1
        seen.bare += answer.status in (429, 503) and not answer.retry_after
        if answer.status == 201:
            seen.took.append(time.perf_counter() - due)

    await at_rate(port, rate, seconds, one)
    return seen


async def behind(client: httpx.AsyncClient, urls: Mapping[str, str]) -> int:
    """Events that are not sent or not read yet, in all services together."""
    total = 0
    for url in urls.values():
        seen = (await client.get(f"{url}/health/progress")).raise_for_status().json()
        total += seen["lag"] + seen["unsent"]
    return total


async def disk(on: Ground) -> tuple[int, int]:
    """Bytes of all databases and of all topics."""
    connection = await asyncpg.connect(on.stack.database_url)
    try:
        databases = await connection.fetchval(SIZES, on.namespace)
    finally:
        await connection.close()
    folder = kafka.in_folder(CHECKOUT / ".local" / "kafka").folder
    return databases, await asyncio.to_thread(topic_bytes, folder, on.namespace)


async def measure(on: Ground, rate: float = RATE, minutes: float = MINUTES) -> bool:
    """Whether refusals said when to come again, and all was as before after the overload."""
    processes = {name: on.process(name).start(REQUESTS_PER_MINUTE=str(PER_MINUTE)) for name in SERVICES}
    for process in processes.values():
        process.wait_ready()
    urls = {name: process.url for name, process in processes.items()}
    port = processes["registration"].port
    async with httpx.AsyncClient(timeout=30) as client:
        await send(port, 10, 3, CROWD)  # the first requests of a process are the slow ones
        await _steady(on, client, processes, rate, 60 * minutes)
        return await _overloaded(client, port, rate, urls)


async def _steady(
    on: Ground, client: httpx.AsyncClient, processes: Mapping[str, ServiceProcess], rate: float, seconds: float
) -> None:
    table = Table(
        "minute", "answered", "p50 ms", "p99 ms", "max ms", "put off", "behind", *(f"{name} MiB" for name in SERVICES),
        "PostgreSQL MiB", "databases MiB", "topics MiB",
        title=f"Soak: {rate:.0f} forms a second for {seconds / 60:.0f} minutes, six services", title_justify="left",
    )  # fmt: skip
    server = postgres.in_folder(CHECKOUT / ".local" / "postgres").process()
    pids = {name: one.process.pid for name, one in processes.items() if one.process is not None}
    urls = {name: process.url for name, process in processes.items()}
    if server is not None:
        pids["postgres"] = server.pid
    for window in range(1, WINDOWS + 1):
        seen = await send(processes["registration"].port, rate, seconds / WINDOWS, CROWD)
        taken = {one.process: one.bytes // MIB for one in await asyncio.to_thread(memory, pids)}
        databases, topics = await disk(on)
        times = [percentile(seen.took, 0.5), percentile(seen.took, 0.99), max(seen.took)] if seen.took else []
        table.add_row(
            f"{window * seconds / WINDOWS / 60:.1f}", str(seen.answers[201]), *(f"{one * 1000:.0f}" for one in times),
            str(seen.answers.total() - seen.answers[201]), str(await behind(client, urls)),
            *(str(taken.get(name, 0)) for name in (*SERVICES, "postgres")), str(databases // MIB), str(topics // MIB),
        )  # fmt: skip
    console.print(table)


async def _overloaded(client: httpx.AsyncClient, port: int, rate: float, urls: Mapping[str, str]) -> bool:
    """A crowd first, then one account that will not stop."""
    table = Table("overload", "a second", "201", "429", "503", "others", "without Retry-After", "back after s",
                  title="Too much, and what comes after", title_justify="left")  # fmt: skip
    good = True
    for name, people in (("many accounts", CROWD), ("one account", CROWD[:1])):
        seen = await send(port, TIMES * rate, OVERLOAD_SECONDS, people)
        back = await recovered(client, port, rate, urls)
        others = seen.answers.total() - sum(seen.answers[status] for status in (201, 429, 503))
        good = good and back is not None and not others and not seen.bare
        table.add_row(name, f"{TIMES * rate:.0f}", *(str(seen.answers[status]) for status in (201, 429, 503)),
                      str(others), str(seen.bare), "never" if back is None else f"{back:.1f}")  # fmt: skip
    console.print(table)
    return good


async def recovered(client: httpx.AsyncClient, port: int, rate: float, urls: Mapping[str, str]) -> float | None:
    """Seconds until forms of another account are answered soon at the old rate, and nothing is left to be read."""
    began = time.perf_counter()
    while time.perf_counter() < began + BACK_SECONDS:
        at = time.perf_counter()
        seen = await send(port, rate, 2.0, CROWD[1:])
        soon = seen.answers[201] == seen.answers.total() and percentile(seen.took, 0.99) < SOON_SECONDS
        if soon and await behind(client, urls) < 2 * rate:
            return at - began
        await asyncio.sleep(0.5)
    return None
