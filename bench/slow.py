"""One service becomes slow, its process held up nine tenths of the time: what that does to the others."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import httpx
from rich.table import Table

from bench.figures import console, percentile
from bench.ground import Ground
from bench.soak import CROWD, SERVICES, behind, send
from deploy.local.services import ServiceProcess

SLOW, RATE, SECONDS = "licensing", 20.0, 12.0
HELD, RUNS = 0.9, 0.1
"""Seconds in turn."""
LOOKS_A_SECOND = 5.0


@contextlib.asynccontextmanager
async def slowed(process: ServiceProcess, held: float = HELD, runs: float = RUNS) -> AsyncIterator[None]:
    """Stopped and let go on in turn, for as long as the context lasts."""

    async def hold() -> None:
        while True:
            process.freeze()
            await asyncio.sleep(held)
            process.thaw()
            await asyncio.sleep(runs)

    holding = asyncio.create_task(hold())
    try:
        yield
    finally:
        holding.cancel()
        await asyncio.wait([holding])
        process.thaw()


async def measure(on: Ground, seconds: float = SECONDS) -> bool:
    """Whether the others have answered everything meanwhile, and the slow one has caught up afterwards."""
    processes = {name: on.process(name).start() for name in SERVICES}
    for process in processes.values():
        process.wait_ready()
    urls = {name: process.url for name, process in processes.items()}
    table = Table("", "forms: p50 ms", "p99 ms", "not answered", *(f"{name}: p99 ms" for name in SERVICES[1:]),
                  title=f"{RATE:.0f} forms and looks at each service, while {SLOW} runs a tenth of the time",
                  title_justify="left")  # fmt: skip
    good = True
    async with httpx.AsyncClient(timeout=30) as client:
        await send(processes["registration"].port, 10, 3, CROWD)

        async def row(name: str) -> None:
            nonlocal good
            forms, looks = await asyncio.gather(
                send(processes["registration"].port, RATE, seconds, CROWD), _looks(client, urls, seconds)
            )
            unanswered = forms.answers.total() - forms.answers[201]
            good = good and not unanswered
            times = (percentile(forms.took, 0.5), percentile(forms.took, 0.99))
            table.add_row(name, *(f"{one * 1000:.0f}" for one in times), str(unanswered),
                          *(f"{percentile(looks[one], 0.99) * 1000:.0f}" for one in SERVICES[1:]))  # fmt: skip

        await row("before")
        async with slowed(processes[SLOW]):
            await row("meanwhile")
        began = time.perf_counter()
        while await behind(client, urls):
            await asyncio.sleep(0.2)
        caught_up = time.perf_counter() - began
        await row("after")
    console.print(table)
    console.print(f"{SLOW} had caught up after {caught_up:.1f} s")
    return good


async def _looks(client: httpx.AsyncClient, urls: dict[str, str], seconds: float) -> dict[str, list[float]]:
    """What anybody may read, at each of the other services."""
    took: dict[str, list[float]] = {name: [] for name in SERVICES[1:]}
    ends = time.perf_counter() + seconds

    async def one(name: str) -> None:
        while time.perf_counter() < ends:
            began = time.perf_counter()
            (await client.get(f"{urls[name]}/v1/keys")).raise_for_status()
            took[name].append(time.perf_counter() - began)
            await asyncio.sleep(1 / LOOKS_A_SECOND)

    await asyncio.gather(*map(one, took))
    return took
