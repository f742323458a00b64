"""python -m demo.wrong_build BUILD: a service built wrongly on purpose, to see that the checker catches it.

position-first     risk moves its position in a transaction of its own and takes the effect after it
progress-first     registration's relay notes its progress before it sends
no-kept-answers    registration keeps no answer under its Idempotency-Key
no-audit           registration does not write down who has done what
id-cursor          registration's relay goes on from the greatest id it has seen, whatever is missing below it
no-inbox           risk takes whatever comes as the next event of its subject, what came before too
poison-skipped     risk passes over what it cannot read, and says nothing of it
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence

import asyncpg
from aiokafka import AIOKafkaProducer

from libs.common import audit, crash, idempotency, inbox
from libs.common.consumer import Consumer
from libs.common.delivery import Decision
from libs.common.envelope import DeadLetter, Incoming
from libs.common.relay import loop
from libs.common.relay.progress import UNACKNOWLEDGED, Progress
from libs.common.run import run
from libs.common.service import find
from libs.common.settings import Settings
from libs.common.transaction import once

BETWEEN = "wrong.between"
"""The crash point between the two halves of what must be one."""


def position_first() -> None:
    async def take(self: Consumer, unit: Sequence[Incoming | DeadLetter]) -> None:
        await once(self.database, lambda session: inbox.take(session, unit, _nothing))
        crash.point(BETWEEN)
        events = [record for record in unit if isinstance(record, Incoming)]
        await once(self.database, lambda session: self._apply(session, events))

    Consumer._take = take  # type: ignore[method-assign]
    # A group of its own for each life: nobody waits until Kafka has given the dead one up.
    Settings.group = property(lambda self: f"{self.database_name}-{os.getpid()}")  # type: ignore[assignment, method-assign]


def progress_first() -> None:
    right = loop.send

    async def send(
        connection: asyncpg.Connection, producer: AIOKafkaProducer, topic: str, source: str,
        rows: Sequence[asyncpg.Record], outward: Mapping[str, str],
    ) -> list[int]:  # fmt: skip
        if rows:
            progress = await loop.load(connection)
            await loop.save(connection, dataclasses.replace(progress, high=max(row["id"] for row in rows)))
            crash.point(BETWEEN)
        return await right(connection, producer, topic, source, rows, outward)

    loop.send = send


def no_kept_answers() -> None:
    idempotency.store = _nothing  # type: ignore[assignment]


def no_audit() -> None:
    audit.add = _nothing  # type: ignore[assignment]


def id_cursor() -> None:
    def advanced(
        progress: Progress, seen: Sequence[int], unacknowledged: Iterable[int], _xmin: int, _later: int
    ) -> Progress:
        return Progress(max([progress.high, *seen]), dict.fromkeys(unacknowledged, UNACKNOWLEDGED))

    loop.advanced = advanced  # type: ignore[attr-defined]


def no_inbox() -> None:
    inbox.decide = lambda *_: Decision.APPLY  # type: ignore[attr-defined]


def poison_skipped() -> None:
    inbox.BURY = "SELECT $1::text, $2::int, $3::bigint, $4::text, $5::bytea, $6::bytea"


async def _nothing(*_: object, **__: object) -> None:
    pass


BUILDS: dict[str, tuple[str, Callable[[], None]]] = {
    "position-first": ("risk", position_first),
    "progress-first": ("registration", progress_first),
    "no-kept-answers": ("registration", no_kept_answers),
    "no-audit": ("registration", no_audit),
    "id-cursor": ("registration", id_cursor),
    "no-inbox": ("risk", no_inbox),
    "poison-skipped": ("risk", poison_skipped),
}


if __name__ == "__main__":
    name, break_it = BUILDS[sys.argv[1]]
    break_it()
    run(find(name))
