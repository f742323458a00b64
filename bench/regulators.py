"""Regulators at so many enterprises: one of them, a page of a class, the distribution; while events flow in."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from random import Random
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from rich.table import Table

from bench.client import Client, at_rate
from bench.enterprises import TODAY, fill, uscc
from bench.figures import console, percentile
from bench.ground import Ground, ground
from libs.common.clock import BusinessClock
from services.risk.service import service as risk
from services.risk.service import use_scorecard
from tests.faults.topics import changed_address

ENTERPRISES = 300_000
RATE, SECONDS, WARM_UP = 200, 45.0, 5.0
AIM_MS = 20


async def measure(on: Ground, enterprises: int = ENTERPRISES) -> None:
    """One enterprise, and a page of a class: 200 a second, open loop, while events flow in."""
    _, database = await on.prepared(risk)
    await use_scorecard(database, BusinessClock(TODAY))
    await fill(database, enterprises)
    await _written_out(on)
    process = on.process("risk")
    process.start(REQUESTS_PER_MINUTE="1000000", BUSINESS_START=TODAY.isoformat()).wait_ready()
    flowing = asyncio.create_task(_flow(on, enterprises))
    random = Random(1)

    def one() -> str:
        return f"/v1/enterprises/{uscc(random.randrange(enterprises))}/risk"

    kinds = {
        "one enterprise, just filled in": one,
        "one enterprise": one,
        "a page of a class": lambda: f"/v1/risk/enterprises?risk_class={random.choice('ABC')}&limit=50",
        "distribution": lambda: "/v1/risk/distribution?by=sector",
    }
    title = f"Regulators at {enterprises:,} enterprises, events flowing in"
    table = Table("", "asked/s", "p50 ms", "p99 ms", "max ms", title=title, title_justify="left")
    for name, path in kinds.items():
        took = await _asked(process.port, path)
        shown = (percentile(took, 0.5), percentile(took, 0.99), max(took))
        table.add_row(name, str(RATE), *(f"{one * 1000:.1f}" for one in shown))
    flowing.cancel()
    await asyncio.wait([flowing])
    console.print(table)
    console.print(f"aim: p99 of {AIM_MS} ms or less")
    await database.engine.dispose()


async def _written_out(on: Ground) -> None:
    """What was filled in lies on the disk: a commit would otherwise wait for gigabytes that are no regulator's."""
    connection = await asyncpg.connect(on.stack.database_url)
    await connection.execute("CHECKPOINT")
    await connection.close()
    await asyncio.to_thread(os.sync)
    gc.collect()
    gc.freeze()


async def _asked(port: int, path: Any) -> list[float]:
    took: list[float] = []

    async def one(client: Client, due: float) -> None:
        await client.get(path())
        took.append(time.perf_counter() - due)

    await at_rate(port, RATE, SECONDS, one)
    return took[int(RATE * WARM_UP) :]


async def _flow(on: Ground, enterprises: int, rate: int = 200) -> None:
    """Addresses change, so many a second, of enterprises in turn."""
    producer = AIOKafkaProducer(bootstrap_servers=on.stack.bootstrap_servers)
    await producer.start()
    number = 0
    try:
        while True:
            for _ in range(rate // 20):
                record = changed_address(uscc(number % enterprises), 1 + number // enterprises)
                await producer.send(
                    f"{on.namespace}registration.events", record.value, key=record.key, partition=record.partition,
                    headers=[(name, text) for name, text in record.headers.items() if text is not None],
                )  # fmt: skip
                number += 1
            await asyncio.sleep(0.05)
    finally:
        await producer.stop()


async def main() -> None:
    async with ground() as on:
        await measure(on)


if __name__ == "__main__":
    asyncio.run(main())
