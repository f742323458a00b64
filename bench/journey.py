"""From the form to the score: how long until risk has said the class of an enterprise that was just applied for."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from rich.table import Table

from bench.client import Client, Refused, at_rate
from bench.figures import console, percentile
from bench.ground import Ground, ground
from libs.common import kafka
from services.registration.service import service as registration

RATES = (5, 10, 20, 40, 80, 120, 160, 240, 320)
SECONDS = 8.0
TARGET_RATE, TARGET_P99 = 20, 0.5
GIVE_UP_SECONDS = 10.0


@dataclass(slots=True)
class Flight:
    """Forms under way at one rate, by application id. `sent` are the times at which each was due to be sent; `refused`
    counts those that were put off with a 503."""

    sent: dict[str, float] = field(default_factory=dict)
    scored: dict[str, float] = field(default_factory=dict)
    refused: int = 0


async def fly(port: int, rate: float, flight: Flight) -> float:
    """Send at a fixed rate, whatever the answers do (open loop); returns the rate that was really answered."""
    began = time.perf_counter()

    async def one(client: Client, due: float) -> None:
        try:
            flight.sent[(await client.post("/v1/applications"))["id"]] = due
        except Refused:
            flight.refused += 1

    await at_rate(port, rate, SECONDS, one)
    return len(flight.sent) / (time.perf_counter() - began)


async def measure(on: Ground) -> None:
    services = [on.process(name).start() for name in ("registration", "risk")]
    port = services[0].wait_ready().port
    services[1].wait_ready()
    flight = Flight()
    table = Table(
        "forms/s asked", "answered", "p50 ms", "p99 ms", "max ms", "put off (503)", "not scored in time",
        title=f"Form to score: {SECONDS:.0f} s at each rate, everything on the same cores", title_justify="left",
    )  # fmt: skip
    async with kafka.reader(registration.load_settings(), f"{on.namespace}risk.events") as listener:
        await listener.seek_to_end()
        listening = asyncio.create_task(_listen(listener, flight))
        await fly(port, 20, Flight())
        for rate in RATES:
            flight.sent.clear()
            flight.refused = 0
            answered = await fly(port, rate, flight)
            deadline = time.perf_counter() + GIVE_UP_SECONDS
            while flight.sent.keys() - flight.scored.keys() and time.perf_counter() < deadline:
                await asyncio.sleep(0.05)
            took = [flight.scored[id] - due for id, due in flight.sent.items() if id in flight.scored]
            late = len(flight.sent) - len(took)
            shown = (percentile(took, 0.5), percentile(took, 0.99), max(took))
            table.add_row(
                str(rate),
                f"{answered:.0f}",
                *(f"{value * 1000:.0f}" for value in shown),
                str(flight.refused),
                str(late),
            )
            if answered < 0.8 * rate or late:
                break
        listening.cancel()
        await asyncio.wait([listening])
    console.print(table)
    console.print(f"aim: p99 of {TARGET_P99 * 1000:.0f} ms or less at {TARGET_RATE} forms/s")


async def _listen(listener: object, flight: Flight) -> None:
    while True:
        for batch in (await listener.getmany(timeout_ms=20)).values():  # type: ignore[attr-defined]
            now = time.perf_counter()
            for record in batch:
                flight.scored.setdefault(dict(record.headers)["ce_correlationid"].decode(), now)


async def main() -> None:
    async with ground() as on:
        await measure(on)


if __name__ == "__main__":
    asyncio.run(main())
