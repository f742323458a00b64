"""What the start check makes of a service's own topic, when only its tail is read first."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from libs.common import kafka
from libs.common.database import open_database, provision
from libs.common.migration import migrate
from libs.common.relay import restored
from libs.common.settings import Settings, load
from tests.faults.topics import Record, event, put
from tests.spine import Spine

NAME = "own"
OWN = f"{NAME}.events"


def said(sequence: int, id: object) -> Record:
    return event("S", sequence, {}, type="own.said.v1", source=f"/jingan/{NAME}", id=id)


async def test_a_fork_whose_first_event_lies_before_the_tail_is_no_restore_and_a_stranger_behind_it_is(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restored, "TAIL", 1)
    with spine.as_environment():
        settings = load(Settings, NAME)
    await provision(settings)
    database = open_database(settings)
    await migrate(database)
    await kafka.create_topics(settings, [settings.events_topic])
    known, fork, stranger = uuid4(), uuid4(), uuid4()
    async with spine.database(NAME) as connection:
        await connection.execute(
            "INSERT INTO outbox (event_id, subject, sequence, type, time, correlation_id, data)"
            " VALUES ($1, 'S', 1, 'own.said.v1', $2, 'c', '{}')",
            known,
            datetime.now(UTC),
        )
    await put(spine, said(1, known), said(1, fork), topic=OWN)
    assert await restored.lost_events(database, settings) == []

    await put(spine, said(2, stranger), topic=OWN)
    assert [lost.id for lost in await restored.lost_events(database, settings)] == [stranger]
    await database.engine.dispose()
