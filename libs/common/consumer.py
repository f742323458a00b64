"""A member of the service's consumer group. Each event takes effect once and in order, whatever the group does.

Every batch is one transaction that moves the database's position; zombies, cuts and retries all meet at that row.
Rebalance callbacks only save repeated work: nothing here relies on them for safety.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import (
    IllegalStateError,
    KafkaConnectionError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from opentelemetry import propagate, trace
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import dispositions, evidence, inbox, signature
from libs.common.clock import Clock, for_one_act
from libs.common.database import Database, is_database_error, raw, reading
from libs.common.delivery import Step, pause_after
from libs.common.drain import FAULT_OF_THE_EVENT_AFTER, drain, fails_by_itself
from libs.common.envelope import DeadLetter, Incoming, Outside, read, source_of
from libs.common.inbox import Place, PositionMoved
from libs.common.kafka import PARTITIONS
from libs.common.service import Service
from libs.common.settings import Settings
from libs.common.telemetry import CONSUMER_PAUSED, EVENTS_TAKEN, links, tracer
from libs.common.transaction import once

log = structlog.get_logger()
Record = Incoming | DeadLetter | Outside

MEMBER: dict[str, Any] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "none",  # never skip silently
    "session_timeout_ms": 6_000,
    "heartbeat_interval_ms": 1_000,
    "rebalance_timeout_ms": 6_000,
    "request_timeout_ms": 10_000,  # above the rebalance time-out: JoinGroup may block that long
    "retry_backoff_ms": 200,
    "metadata_max_age_ms": 10_000,
    "fetch_max_wait_ms": 100,  # what else is asked on the connection waits behind it: a longer one is felt everywhere
    "partition_assignment_strategy": (RangePartitionAssignor,),
}
PACE_SECONDS, PAUSE_AT_MOST = 0.05, 0.2
"""Answers are taken no closer together than that while they come faster: a transaction costs nearly the same for one
event as for ten. On a busy machine, where a batch takes long, the pause is longer and the next batch larger. Nothing
waits after a pause, and nobody who lags waits at all."""
BAD_RELEASE_HEADS = 100
HOUSEKEEPING_SECONDS = 1.0
SILENT_SECONDS = 5.0
"""After that long without a record it is asked whether there was none."""


class RecordsLost(Exception):
    """Kafka no longer holds records that were never read: a person decides, nothing is skipped silently."""


class Deaf(Exception):
    """Records lie there, and the client brings none: whatever fetched them has ended without a word."""


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """One member. `run` keeps it alive until `stop`; only lost records end it."""

    def __init__(self, service: Service, database: Database, settings: Settings, clock: Clock) -> None:
        self.service, self.database, self.settings, self.clock = service, database, settings, clock
        self.sources = {settings.topic(f"{name}.events"): source_of(name) for name in service.hears}
        self.outsiders = {settings.topic(name): how for name, how in service.takes.items()}
        self.topics = [*self.sources, *self.outsiders]
        self.assignment = 0
        self.busy = asyncio.Lock()
        self.client: AIOKafkaConsumer | None = None
        self.connected = False
        self.started_at = time.time()
        self.next_housekeeping = 0.0
        self.answers = 0
        self.silent_since = 0.0
        self.awaited: dict[TopicPartition, int] = {}
        self.sought: dict[Place, tuple[int, int]] = {}
        self.stopping = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        self.stopping = stop
        while not stop.is_set():
            client = AIOKafkaConsumer(
                bootstrap_servers=self.settings.kafka_bootstrap_servers, group_id=self.settings.group, **MEMBER
            )
            self.client = client
            client.subscribe(self.topics, listener=self)
            try:
                await asyncio.wait_for(client.start(), 30)
                self.connected = True
                self._heard()
                await self._consume(client, stop)
            except (OffsetOutOfRangeError, RecordsLost) as error:
                log.critical("records are gone from Kafka", service=self.service.name, error=repr(error))
                raise
            except Exception as error:
                log.warning("consumer built anew", service=self.service.name, error=repr(error))
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 1)
            finally:
                self.connected = False
                # stop() can hang, and with a broker down it can raise CancelledError: keep both inside.
                await asyncio.wait({asyncio.create_task(client.stop())}, timeout=10)

    async def on_partitions_revoked(self, _: list[TopicPartition]) -> None:
        """Only this callback holds the rejoin back: give the running batch a moment to finish."""
        with suppress(TimeoutError):
            async with asyncio.timeout(2), self.busy:
                pass
        self.assignment += 1

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        self.assignment += 1
        self.sought.clear()
        with suppress(Exception):  # a batch from a wrong position is refused and sought again
            await self._seek(assigned)

    async def _seek(self, places: Sequence[TopicPartition]) -> None:
        async with reading(self.database) as connection:
            stands = await inbox.positions(connection, [(p.topic, p.partition) for p in places])
        for (topic, partition), offset in stands.items():
            self._seek_to((topic, partition), offset)

    def _seek_to(self, place: Place, offset: int) -> None:
        if self.client is not None:
            with suppress(IllegalStateError):  # no longer ours
                self.client.seek(TopicPartition(*place), offset)

    async def _consume(self, client: AIOKafkaConsumer, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                answer = await client.getmany(timeout_ms=200, max_records=self.service.at_once)
            except NoOffsetForPartitionError as error:
                await self._seek([error.args[0]])
                continue
            assignment, began = self.assignment, time.monotonic()  # no await since the records were taken
            self.answers += 1
            if any(answer.values()):
                self._heard()
            for unit in self._units(answer):
                async with self.busy:
                    if not await self._take_until_done(unit, assignment, stop):
                        break
            if time.monotonic() >= self.next_housekeeping:
                await self._keep_house(client)
            if 0 < sum(map(len, answer.values())) < self.service.at_once:
                await asyncio.sleep(pause_after(time.monotonic() - began, PACE_SECONDS, PAUSE_AT_MOST))

    def _units(self, answer: dict[TopicPartition, list[Any]]) -> list[list[Record]]:
        """What is taken in one transaction: the events of an answer; records of outside topics by partition."""
        together: list[Record] = []
        outside: list[list[Record]] = []
        for place in sorted(answer, key=lambda place: (place.topic, place.partition)):
            if place.topic in self.outsiders:
                outside.append([_as_it_came(record) for record in answer[place]])
            else:
                together += [read(record, self.sources[place.topic]) for record in answer[place]]
        return [unit for unit in (together, *outside) if unit]

    async def _take_until_done(self, unit: list[Record], assignment: int, stop: asyncio.Event) -> bool:
        """Take a unit; False when the partitions moved away meanwhile, so that the rest of the answer is stale."""
        tries = 0
        while unit and not stop.is_set():
            if self.assignment != assignment:
                return False
            try:
                with _span(self.service.name, unit):
                    if tries < FAULT_OF_THE_EVENT_AFTER or not await self._infrastructure_answers():
                        await self._take(unit)
                    else:
                        await self._isolate(unit, tries)
                return True
            except PositionMoved as moved:
                unit = self._without(unit, moved)
            except Exception as error:
                tries += 1
                log.warning("batch will be taken again", service=self.service.name, tries=tries, error=repr(error))
                await asyncio.sleep(min(0.05 * 2 ** min(tries, 6), 2))
        return self.assignment == assignment

    async def _take(self, unit: Sequence[Record]) -> None:
        """One transaction; where something in it fails by itself, its halves, the left one first."""
        try:
            taken = await once(self.database, lambda session: self._taken(session, unit), name="batch")
        except PositionMoved:
            raise
        except Exception as error:
            if not fails_by_itself(error):
                raise
            if len(unit) > 1:
                await self._take(unit[: len(unit) // 2])
                await self._take(unit[len(unit) // 2 :])
            else:
                await self._set_aside(unit[0], error)
            return
        await self._follow_up(taken, unit)

    async def _taken(self, session: AsyncSession, unit: Sequence[Record]) -> inbox.Taken:
        """In the transaction of the batch. A unit is of services' topics, or of one outside topic."""
        if outside := [record for record in unit if isinstance(record, Outside)]:
            how = self.outsiders[outside[0].topic]
            return await inbox.take_outside(
                session, outside, lambda s, found: how.take(s, found, for_one_act(self.clock))
            )
        events = [record for record in unit if not isinstance(record, Outside)]
        return await inbox.take(session, events, self._apply)

    async def _isolate(self, unit: Sequence[Record], failures: int = 0) -> None:
        """The database answers and the unit fails all the same: its halves, until the event at fault stands alone."""
        try:
            await self._take(unit)
        except PositionMoved:
            raise
        except Exception as error:
            if len(unit) > 1:
                await self._isolate(unit[: len(unit) // 2])
                await self._isolate(unit[len(unit) // 2 :])
            elif failures + 1 < FAULT_OF_THE_EVENT_AFTER:
                await self._isolate(unit, failures + 1)
            elif isinstance(unit[0], DeadLetter) or not await self._infrastructure_answers():
                raise
            else:
                await self._set_aside(unit[0], error)

    async def _set_aside(self, record: Record, error: Exception) -> None:
        assert not isinstance(record, DeadLetter), "a dead letter has no effect that could fail"
        if isinstance(record, Outside):
            await self._reject(record, error)
        else:
            await self._park(record, error)

    async def _reject(self, record: Outside, error: Exception) -> None:
        """What came from outside and fails by itself is answered as rejected, and kept as a dead letter for people to
        look at. Where even the answer fails by itself the letter is all: the topic goes on in any case."""
        log.error(
            "record from outside rejected: it fails by itself", service=self.service.name, topic=record.topic,
            partition=record.partition, offset=record.offset, error=inbox.describe(error),
        )  # fmt: skip
        letter = DeadLetter(*record[:3], inbox.describe(error), record.key, record.value)

        async def answer(session: AsyncSession) -> inbox.Taken:
            taken = await inbox.take(session, [letter], self._apply)
            await self.outsiders[record.topic].reject(session, record, for_one_act(self.clock))
            return taken

        try:
            taken = await once(self.database, answer, name="batch")
        except PositionMoved:
            raise
        except Exception as failure:
            if not fails_by_itself(failure):
                raise
            log.error("its rejection fails as well", service=self.service.name, error=inbox.describe(failure))
            taken = await once(self.database, lambda session: inbox.take(session, [letter], self._apply), name="batch")
        await self._follow_up(taken, [record])

    async def _park(self, record: Incoming, error: Exception) -> None:
        log.error(
            "event parked: it fails by itself", service=self.service.name, source=record.source,
            subject=record.subject, sequence=record.sequence, error=inbox.describe(error),
        )  # fmt: skip
        taken = await once(self.database, lambda session: inbox.take_failed(session, record, error), name="batch")
        await self._follow_up(taken, [record])
        await self._pause_for_bad_release()

    async def _apply(self, session: AsyncSession, events: Sequence[Incoming]) -> None:
        assert self.service.apply is not None
        await self.service.apply(session, events, for_one_act(self.clock))

    async def _apply_parked(self, session: AsyncSession, events: Sequence[Incoming]) -> None:
        """A parked event takes effect in the trace it came with, whenever that is."""
        with _span(self.service.name, events):
            await self._apply(session, events)

    async def _bear_witness(self, session: AsyncSession, place: Place, key: inbox.Key, step: Step) -> None:
        """What a person decided is carried out: a report of it, signed by the service, goes with the effect."""
        connection = await raw(session)
        told = await dispositions.report(connection, self.settings, place, key, step.row, self.service.digest())
        await evidence.write(connection, told, signature.keys(self.settings))

    async def _follow_up(self, taken: inbox.Taken, unit: Sequence[Record]) -> None:
        for outcome in ("applied", "skipped", "waiting", "forked", "failed", "dead"):
            if count := getattr(taken, outcome):
                EVENTS_TAKEN.labels(self.service.name, outcome).inc(count)
        if taken.waiting or taken.forked:
            log.warning("events parked", service=self.service.name, waiting=taken.waiting, forked=taken.forked)
        if taken.parked_keys:
            places = list({(r.topic, r.partition) for r in unit})
            await drain(self.database, places, self._apply_parked, self._bear_witness)

    def _without(self, unit: list[Record], moved: PositionMoved) -> list[Record]:
        """Read again from where the database stands. Standing there already means that Kafka has lost records."""
        if moved.began > moved.next_offset and self._was_sought(moved):
            raise RecordsLost(str(moved))
        self.sought[moved.place] = moved.next_offset, self.answers
        kept = [record for record in unit if (record.topic, record.partition) != moved.place]
        ours = [record for record in unit if (record.topic, record.partition) == moved.place]
        if 0 <= (skip := moved.next_offset - ours[0].offset) <= len(ours):
            return sorted(kept + ours[skip:], key=lambda record: (record.topic, record.partition, record.offset))
        self._seek_to(moved.place, moved.next_offset)
        return kept

    def _was_sought(self, moved: PositionMoved) -> bool:
        """Whether this answer was read from there; what else was in hand when the place was sought is merely stale."""
        offset, answer = self.sought.get(moved.place, (-1, 0))
        return offset == moved.next_offset and answer < self.answers

    async def _infrastructure_answers(self) -> bool:
        try:
            async with asyncio.timeout(5), reading(self.database) as connection:
                await connection.fetchval("SELECT 1")
            assert self.client is not None
            await asyncio.wait_for(self.client.topics(), 5)
        except Exception:
            return False
        return True

    async def _pause_for_bad_release(self) -> None:
        """Many subjects failing at once is a bad release, not bad events: stand still until a person has looked."""
        async with reading(self.database) as connection:
            failing = await connection.fetchval(FAILING_HEADS, self.started_at)
            paused_at = await connection.fetchval("SELECT now()")
        if failing <= BAD_RELEASE_HEADS:
            return
        log.critical("consumer paused: too many subjects fail", service=self.service.name, failing=failing)
        CONSUMER_PAUSED.labels(self.service.name).set(1)
        while not self.stopping.is_set() and not await self._resumed(paused_at):
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), 0.5)
        CONSUMER_PAUSED.labels(self.service.name).set(0)

    async def _resumed(self, paused_at: datetime) -> bool:
        """Whether a person has let the consumer go on; trouble with the database does not."""
        try:
            async with reading(self.database) as connection:
                return bool(await connection.fetchval("SELECT max(at) > $1 FROM consumer_resumed", paused_at))
        except Exception as error:
            if not is_database_error(error):
                raise
            return False

    async def _keep_house(self, client: AIOKafkaConsumer) -> None:
        self.next_housekeeping = time.monotonic() + HOUSEKEEPING_SECONDS
        places = list(client.assignment())
        try:
            async with self.busy:
                ours = [(p.topic, p.partition) for p in places]
                await drain(self.database, ours, self._apply_parked, self._bear_witness)
            async with reading(self.database) as connection:
                stands = await inbox.positions(connection, [(p.topic, p.partition) for p in places])
            committed = {TopicPartition(*place): offset for place, offset in stands.items()}
            await asyncio.wait_for(client.commit(committed), 5)
            if time.monotonic() >= self.silent_since + SILENT_SECONDS:
                await self._listen(client, committed)
        except Deaf:
            raise
        except Exception as error:
            if fails_by_itself(error) and not isinstance(error, KafkaError | IllegalStateError):
                raise
            log.info("housekeeping put off", service=self.service.name, error=repr(error))

    def _heard(self) -> None:
        self.silent_since, self.awaited = time.monotonic(), {}

    async def _listen(self, client: AIOKafkaConsumer, stands: dict[TopicPartition, int]) -> None:
        """Nothing has come for long. Raises Deaf where something that lay there then has not come since."""
        if late := [place for place, end in self.awaited.items() if stands.get(place, end) < end]:
            raise Deaf(f"nothing comes of {len(late)} partitions that have records")
        ends = await asyncio.wait_for(client.end_offsets(list(stands)), 5)
        self._heard()
        self.awaited = ends

    async def lag(self) -> int:
        """Records between the database's positions and the ends of all that the service hears, whoever reads them.

        A member without partitions must not call itself done. Raises KafkaError while there is nobody to ask.
        """
        if self.client is None or not self.connected:
            raise KafkaConnectionError("the consumer is not connected")
        places = [TopicPartition(topic, partition) for topic in self.topics for partition in range(PARTITIONS)]
        ends = await asyncio.wait_for(self.client.end_offsets(places), 5)
        async with reading(self.database) as connection:
            stands = await inbox.positions(connection, [(p.topic, p.partition) for p in places])
        return sum(max(end - stands[p.topic, p.partition], 0) for p, end in ends.items())


def _as_it_came(record: Any) -> Outside:
    headers = tuple((name, value or b"") for name, value in record.headers)
    return Outside(record.topic, record.partition, record.offset, record.key, record.value, headers)


def _span(service: str, unit: Sequence[Record]) -> AbstractContextManager[trace.Span]:
    """One span a batch, linked to the traces of its events; where all have one cause, it is that trace's child."""
    traceparents = dict.fromkeys(record.traceparent for record in unit if isinstance(record, Incoming))
    only = next(iter(traceparents)) if len(traceparents) == 1 else None
    parent = {"traceparent": only} if only else {}
    return tracer.start_as_current_span(
        f"{service} process", context=propagate.extract(parent), links=links(traceparents), kind=trace.SpanKind.CONSUMER
    )


FAILING_HEADS = """
SELECT count(DISTINCT (source, subject)) FROM parked WHERE state = 'failed' AND failed_at > greatest(
    now() - interval '1 minute', to_timestamp($1), coalesce((SELECT max(at) FROM consumer_resumed), '-infinity'))
"""
