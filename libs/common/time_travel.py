"""python -m libs.common.time_travel DATE [URL ...]: business time moved by command (ALLOW_TIME_TRAVEL=1).

A driver goes from one due date to the next and waits until every service is quiet, twice in a row. One long jump
would skip what happens in between: an order on day 20 and a fine on day 40 would become one order on day 60.
"""

import argparse
import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import structlog
from aiokafka import AIOKafkaProducer
from rich.console import Console

from libs.common import kafka
from libs.common.clock import BusinessClock
from libs.common.envelope import source_of
from libs.common.settings import Settings
from libs.common.telemetry import CLOCK_IGNORED

log = structlog.get_logger()

CLOCK_TOPIC = "clock.events"
ADVANCED = "clock.advanced.v1"
SUBJECT = "business-date"
QUIET_SECONDS = 60


async def follow(settings: Settings, clock: BusinessClock, ready: asyncio.Event, stop: asyncio.Event) -> None:
    """Set the clock from `clock.events`: to its end before the service serves (`ready`), then as it moves."""
    CLOCK_IGNORED.labels(settings.service)  # it is 0 from the start: what begins at 1 has not increased
    async with kafka.reader(settings, settings.topic(CLOCK_TOPIC)) as consumer:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        while not stop.is_set():
            for batch in (await consumer.getmany(timeout_ms=100)).values():
                for record in batch:
                    if (to := _date_in(record)) is not None:
                        clock.advance(to)
                    else:
                        CLOCK_IGNORED.labels(settings.service).inc()
                        log.warning("ignored: it moves no clock", service=settings.service, offset=record.offset)
            if not ready.is_set() and all([await consumer.position(p) >= end for p, end in ends.items()]):
                ready.set()
        ready.set()  # who waits to serve must also hear that there is nothing left to wait for


def _date_in(record: Any) -> date | None:
    """The date that a record moves the clock to; None for what cannot be read, which must not end who reads it."""
    try:
        return date.fromisoformat(json.loads(record.value)["business_date"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


async def advance(bootstrap_servers: str, namespace: str, to: date) -> None:
    """Say that the business date is now `to`."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True)
    await producer.start()
    attributes = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": source_of("clock"),
        "type": ADVANCED,
        "subject": SUBJECT,
    }
    try:
        await producer.send_and_wait(
            f"{namespace}{CLOCK_TOPIC}",
            json.dumps({"business_date": to.isoformat()}).encode(),
            key=SUBJECT.encode(),
            headers=[(f"ce_{name}", value.encode()) for name, value in attributes.items()],
        )
    finally:
        await producer.stop()


Say = Callable[[date], Awaitable[None]]


async def travel(say: Say, services: Sequence[str], to: date, *, on_step: Callable[[date], None] | None = None) -> int:
    """Move business time to `to`, step by step through every due date. `services` are base URLs; returns the steps."""
    async with httpx.AsyncClient(timeout=10) as client:
        states = await quiet(client, services)
        steps = 0
        while (today := min(date.fromisoformat(state["business_date"]) for state in states)) < to:
            dues = [date.fromisoformat(state["next_due_on"]) for state in states if state["next_due_on"]]
            step = min([to, *(due for due in dues if due > today)])
            await say(step)
            states = await quiet(client, services, step)
            steps += 1
            if on_step is not None:
                on_step(step)
        return steps


async def quiet(client: httpx.AsyncClient, services: Sequence[str], on: date | None = None) -> list[dict[str, Any]]:
    """Wait until every service stands on `on` with nothing due, nothing unsent and no lag, twice in a row."""
    calm = 0
    deadline = asyncio.get_running_loop().time() + QUIET_SECONDS
    while True:
        states = [await _progress(client, service) for service in services]
        ready = all(
            state is not None
            and not (state["due_now"] or state["unsent"] or state["lag"])
            and (on is None or state["business_date"] == on.isoformat())
            for state in states
        )
        calm = calm + 1 if ready else 0
        if calm == 2:
            return [state for state in states if state is not None]
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(f"not quiet within {QUIET_SECONDS} s: {states}")
        await asyncio.sleep(0.02)


async def _progress(client: httpx.AsyncClient, service: str) -> dict[str, Any] | None:
    try:
        answer = await client.get(f"{service}/health/progress")
    except httpx.TransportError:
        return None
    return answer.json() if answer.status_code == httpx.codes.OK else None


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m libs.common.time_travel", description=__doc__)
    parser.add_argument("date", type=date.fromisoformat)
    parser.add_argument("services", nargs="*", default=[f"http://127.0.0.1:{port}" for port in range(8100, 8106)])
    given = parser.parse_args()
    servers, namespace = os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ.get("ONE_WINDOW_NAMESPACE", "")
    steps = await travel(lambda to: advance(servers, namespace, to), given.services, given.date)
    Console().print(f"Business time stands at {given.date}, after {steps} steps.")


if __name__ == "__main__":
    asyncio.run(main())
