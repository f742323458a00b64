"""After a restore: what the topic says was announced is history again, and the day of the last change is that day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest_asyncio

from libs.common.envelope import Incoming
from services.risk.service import lift_announced
from tests.risk.window import TODAY, Window, event, open_window, registered, usccs
from tests.spine import Spine

EARLIER = TODAY - timedelta(days=3)
ADOPTED = """
INSERT INTO outbox (event_id, subject, sequence, type, time, correlation_id, data, adopted)
VALUES ($1, $2, $3, $4, now(), 'c', $5, true)
"""
COUNTED = """
INSERT INTO outbox_counter (subject, sequence) VALUES ($1, $2)
ON CONFLICT (subject) DO UPDATE SET sequence = excluded.sequence
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window(spine: Spine) -> AsyncIterator[Window]:
    async with open_window(spine) as opened:
        yield opened


def announced(uscc: str, sequence: int, before: str | None, after: str, on: date = EARLIER) -> Incoming:
    said = event(
        "risk.class_changed.v1", uscc, risk_class=after, before=before, score=30, reasons=["new_enterprise"],
        assessed_on=on.isoformat(), scorecard="0" * 64,
    )  # fmt: skip
    return said._replace(sequence=sequence, time="2026-01-02T03:00:00+00:00")


async def adopt(window: Window, *said: Incoming) -> None:
    """As the reconciliation does: the outbox has them again, then the service looks at them."""
    async with window.rows() as connection, connection.transaction():
        for one in said:
            await connection.execute(ADOPTED, one.id, one.subject, one.sequence, one.type, one.data)
            await connection.execute(COUNTED, one.subject, one.sequence)
        await lift_announced(connection, list(reversed(said)))


async def history(window: Window, uscc: str) -> list[tuple[Any, ...]]:
    rows = await window.every(f"/v1/enterprises/{uscc}/risk/history")
    return [(row["before"], row["risk_class"], row["assessed_on"]) for row in reversed(rows)]


async def changed_on(window: Window, uscc: str) -> date | None:
    async with window.rows() as connection:
        found: date | None = await connection.fetchval("SELECT class_changed_on FROM profile WHERE uscc = $1", uscc)
    return found


async def test_of_an_enterprise_that_the_copy_does_not_know_yet(window: Window) -> None:
    [uscc] = usccs(1, 1)
    [like_it] = usccs(2, 1)
    await window.take(registered(like_it))
    [(_, now, _)] = await history(window, like_it)
    other = "D" if now != "D" else "C"

    await adopt(window, announced(uscc, 1, None, other), announced(uscc, 2, other, now))
    await window.take(registered(uscc))

    then = EARLIER.isoformat()
    assert await history(window, uscc) == [(None, other, then), (other, now, then)], "and nothing is announced again"
    assert await changed_on(window, uscc) == EARLIER


async def test_of_an_enterprise_whose_class_has_changed_since_the_copy(window: Window) -> None:
    [uscc] = usccs(3, 1)
    await window.take(registered(uscc))
    [(_, now, today)] = await history(window, uscc)
    other = "D" if now != "D" else "C"
    tomorrow = TODAY + timedelta(days=1)

    await adopt(window, announced(uscc, 2, now, other, tomorrow))
    assert await history(window, uscc) == [(None, now, today), (now, other, tomorrow.isoformat())]
    assert await changed_on(window, uscc) == tomorrow

    await window.at(tomorrow)
    [_, _, again] = await history(window, uscc)
    assert again == (other, now, tomorrow.isoformat()), "for the facts of the copy do not bear it out"
