"""One accepted form over HTTP against pgbench with the same statements, and where the rest of the time goes."""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import re
import time
from collections import Counter
from pathlib import Path
from uuid import uuid4

import httpx
from rich.table import Table

from bench.client import Client, a_form
from bench.figures import console, interleaved, percentile, show
from bench.ground import Ground, ground
from deploy.local.issuer import token
from deploy.local.postgres import binary
from libs.common.clock import BusinessClock
from libs.common.web import Running, create_app
from services.registration.service import read_the_law, service

SECONDS = 6.0
CONNECTIONS = 16
ROUNDS = 5
PROFILED = 600
SCRIPT = Path(__file__).with_name("command.sql")


async def pgbench_rate(on: Ground) -> float:
    """Transactions per second of the bare statements, with as many connections."""
    url = re.sub(r"/postgres\?", f"/{on.namespace}registration?", on.stack.database_url)
    process = await asyncio.create_subprocess_exec(
        binary("pgbench"), "-n", "-c", str(CONNECTIONS), "-j", "2", "-T", str(int(SECONDS)), "-M", "prepared",
        "-f", SCRIPT, url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    if (found := re.search(rb"tps = ([0-9.]+)", out)) is None:
        raise RuntimeError(err.decode())
    return float(found[1])


async def http_rate(port: int, latencies: list[float]) -> float:
    """Forms per second over HTTP, all accepted and registered."""
    began = time.perf_counter()

    async def one() -> int:
        client, done = Client(port), 0
        while time.perf_counter() - began < SECONDS:
            asked = time.perf_counter()
            await client.post("/v1/applications")
            latencies.append(time.perf_counter() - asked)
            done += 1
        client.close()
        return done

    done = sum(await asyncio.gather(*(one() for _ in range(CONNECTIONS))))
    return done / (time.perf_counter() - began)


async def profile(on: Ground) -> Counter[str]:
    """Share of a command's own time by package, from the same application driven in this process."""
    settings, database = await on.prepared(service)
    clock = BusinessClock(settings.business_start)
    await read_the_law(database, clock)
    app = create_app(service, Running(service, settings, database, clock))
    profiler = cProfile.Profile()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench") as client:
        for number in range(PROFILED + 100):
            if number == 100:
                profiler.enable()
            headers = {
                "content-type": "application/json",
                "idempotency-key": str(uuid4()),
                "authorization": f"Bearer {token('applicant-1')}",
            }
            (await client.post("/v1/applications", content=a_form(), headers=headers)).raise_for_status()
    profiler.disable()
    await database.engine.dispose()
    spent: Counter[str] = Counter()
    for (file, _, _), (_, _, own, _, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        spent[package(file)] += own
    spent.pop("httpx, httpcore (the client)", None)
    return spent


def package(file: str) -> str:
    if found := re.search(r"site-packages/([a-z_]+)", file):
        name = found[1]
        return "httpx, httpcore (the client)" if name in ("httpx", "httpcore") else name
    if found := re.search(r"/(libs/common|services/registration|bench)/", file):
        return found[1]
    return "waiting, event loop, built-ins" if file.startswith(("~", "<")) or "asyncio" in file else "standard library"


async def measure(on: Ground, rounds: int = ROUNDS) -> None:
    process = on.process("registration").start().wait_ready()
    latencies: list[float] = []
    for _ in range(50):
        await Client(process.port).post("/v1/applications")
    found = await interleaved(
        {
            "pgbench, the same statements": lambda: pgbench_rate(on),
            "POST /v1/applications": lambda: http_rate(process.port, latencies),
        },
        rounds,
    )
    process.stop()
    show(
        f"Command: {CONNECTIONS} connections, {SECONDS:.0f} s a run",
        "a second",
        found,
        against="pgbench, the same statements",
    )
    p50, p99 = (percentile(latencies, share) * 1000 for share in (0.5, 0.99))
    console.print(f"latency under full load: p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    spent = await profile(on)
    whole = sum(spent.values())
    table = Table(
        "package",
        "share of own time",
        title="Where a command's time goes (cProfile, one at a time)",
        title_justify="left",
    )
    for name, seconds in spent.most_common(12):
        table.add_row(name, f"{seconds / whole:.0%}")
    console.print(table)


async def main() -> None:
    async with ground() as on:
        await measure(on)


if __name__ == "__main__":
    asyncio.run(main())
