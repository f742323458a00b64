"""What ties to relatives cost where risk takes events: the same registrations with and without those behind them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from uuid import UUID, uuid4

import msgspec

from bench.figures import interleaved, show
from bench.ground import Ground
from libs.common.clock import BusinessClock
from libs.common.database import Database
from libs.common.envelope import Incoming, source_of
from libs.common.transaction import once
from services.risk import reactions
from services.risk.service import service as risk

EVENTS = 10_000
BATCH = 1_000
ROUNDS = 5
ON = "2026-01-05"

_numbers = count(1)


def _event(uscc: str, type: str, sequence: int, **data: object) -> Incoming:
    return Incoming(
        topic="", partition=0, offset=0, id=uuid4(), source=source_of(type.partition(".")[0]), type=type, subject=uscc,
        sequence=sequence, correlation_id="bench", time=f"{ON}T00:00:00+00:00", data=msgspec.json.encode(data),
        traceparent=None,
    )  # fmt: skip


def _uscc() -> str:
    return f"91310106{next(_numbers):010}"


def _registered(uscc: str, **behind: object) -> Incoming:
    return _event(
        uscc, "registration.enterprise_registered.v1", 1, registered_on=ON, industry="7249", registered_capital="1",
        capital_currency="CNY", foreign_share="0", **behind,
    )  # fmt: skip


def alone() -> list[Incoming]:
    return [_registered(_uscc()) for _ in range(EVENTS)]


def at_addresses() -> list[Incoming]:
    """Each at an address of its own: what the warnings count too."""
    return [_registered(_uscc(), address_id=str(uuid4())) for _ in range(EVENTS)]


def tied() -> list[Incoming]:
    """Three people behind each, one of them behind another as well, and an address of its own."""
    shared = [uuid4() for _ in range(EVENTS // 2)]
    return [_registered(_uscc(), address_id=str(uuid4()), parties=_parties(shared)) for _ in range(EVENTS)]


def _parties(shared: Sequence[UUID]) -> list[dict[str, str]]:
    owner, representative, other = uuid4(), random.choice(shared), uuid4()
    roles = [(owner, "investor"), (owner, "actual_controller"), (other, "investor")]
    return [
        {"party_id": str(party), "role": role} for party, role in (*roles, (representative, "legal_representative"))
    ]


async def listings(database: Database) -> list[Incoming]:
    """Enterprises that are registered and tied already come on the serious list."""
    events = tied()
    await _taken(database, events)
    return [
        _event(one.subject, "credit.subject_listed.v1", 1, listing_id=str(uuid4()), list="serious_illegal_dishonest",
               listed_on=ON)
        for one in events
    ]  # fmt: skip


async def _taken(database: Database, events: Sequence[Incoming]) -> float:
    """Events per second, a transaction for each batch."""
    began = time.perf_counter()
    for at in range(0, len(events), BATCH):
        take = partial(reactions.apply, events=events[at : at + BATCH], clock=BusinessClock())
        await once(database, take, name="batch")
    return len(events) / (time.perf_counter() - began)


async def measure(on: Ground, rounds: int = ROUNDS) -> None:
    _, database = await on.prepared(risk)
    assert risk.on_start is not None
    await risk.on_start(database, BusinessClock())

    async def of(events: Callable[[], list[Incoming]]) -> float:
        return await _taken(database, events())

    async def of_listings() -> float:
        return await _taken(database, await listings(database))

    found = await interleaved(
        {
            "registered, nobody named": lambda: of(alone),
            "registered at an address": lambda: of(at_addresses),
            "registered at an address, with three people": lambda: of(tied),
            "listed, with relatives": of_listings,
        },
        rounds,
    )
    show(f"Risk takes {EVENTS:,} events in batches of {BATCH:,}", "events/s", found, against="registered, nobody named")
    await database.engine.dispose()
