"""python -m services.risk.again [SERVICE ...]: take from the topics anew what this release reads of their events.

For enterprises that were taken before some fact or tie was kept, and after relatives.csv or address_density.csv has
changed (`registration` is enough then). Runs beside the service: what an event states is the same each time, so that
what is known stays as it is, and a class or a signal is announced where it is another one.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from uuid import UUID

from rich.console import Console
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import inbox, kafka
from libs.common.clock import BusinessClock, Clock
from libs.common.database import Database, open_database, reading
from libs.common.envelope import Incoming, read, source_of
from libs.common.settings import Settings
from libs.common.transaction import retried
from services.risk import reactions
from services.risk.service import service

BATCH = 200
EXCLUDED = "SELECT subject, sequence, id FROM parked WHERE source = $1"
WHOLE = UUID(int=0)
"""The id of a parked row that skips a sequence, whatever event has it."""


async def take_again(
    settings: Settings, database: Database, clock: Clock, console: Console, names: Iterable[str] = service.hears
) -> int:
    """How many events were taken again, those that risk has taken."""
    taken = 0
    for name in names:
        batch: list[Incoming] = []
        async for event in _taken(settings, database, name):
            batch.append(event)
            if len(batch) == BATCH:
                taken += await _take(database, batch, clock)
                batch = []
                console.print(f"{name}: {taken} events so far")
        taken += await _take(database, batch, clock)
    return taken


async def _taken(settings: Settings, database: Database, name: str) -> AsyncIterator[Incoming]:
    """What risk has taken of the topic: what lies beyond its positions it takes itself."""
    topic, source = settings.topic(f"{name}.events"), source_of(name)
    async with reading(database) as connection:
        ends = await inbox.positions(connection, [(topic, partition) for partition in range(kafka.PARTITIONS)])
        parked = {tuple(row) for row in await connection.fetch(EXCLUDED, source)}
    async for record in kafka.records(settings, topic):
        event = read(record, source)
        if record.offset >= ends[topic, record.partition] or not isinstance(event, Incoming):
            continue
        key = event.subject, event.sequence
        if (*key, event.id) not in parked and (*key, WHOLE) not in parked:
            yield event


async def _take(database: Database, batch: Sequence[Incoming], clock: Clock) -> int:
    async def act(session: AsyncSession) -> None:
        await reactions.take(session, batch, clock)

    if batch:
        await retried(database, act, name="again")
    return len(batch)


async def main(console: Console, names: Sequence[str]) -> None:
    settings = service.load_settings()
    database = open_database(settings)
    clock = BusinessClock(settings.business_start if settings.allow_time_travel else None)
    taken = await take_again(settings, database, clock, console, names or service.hears)
    console.print(f"{taken} events taken again")
    await database.engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(Console(file=sys.stdout), sys.argv[1:]))
