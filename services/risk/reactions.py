"""Events and dates come in through the same use cases."""

from collections.abc import Sequence
from datetime import date

import msgspec
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.envelope import Incoming, UnknownVersion, base_and_version
from libs.common.outbox import Cause
from libs.common.telemetry import span_in_each
from services.risk import scorecards, use_cases
from services.risk.consumed_events import CONSUMED
from services.risk.domain import Fact, facts_of

DECODERS = {kind.type: msgspec.json.Decoder(kind) for kind in CONSUMED}
READ_BASES = {base_and_version(type)[0] for type in DECODERS}


async def apply(session: AsyncSession, events: Sequence[Incoming], clock: Clock) -> None:
    """Take the facts of a batch. An event of a type that states no fact is done with as it is."""
    facts: list[Fact] = []
    causes: dict[str, Cause] = {}
    traces: list[str | None] = []
    for event in events:
        decoder = DECODERS.get(event.type)
        if decoder is None:
            if base_and_version(event.type)[0] in READ_BASES:
                raise UnknownVersion(event.type)
            continue
        if stated := facts_stated(event):
            facts += stated
            traces.append(event.traceparent)
            causes[event.subject] = Cause(event.id, event.correlation_id, fresh=True, traceparent=event.traceparent)
    if causes:
        with span_in_each("score", traces):
            await use_cases.take_facts(session, facts, causes, scorecards.current(), clock)


def facts_stated(event: Incoming) -> tuple[Fact, ...]:
    """The facts of one event. Raises what makes it unreadable."""
    decoder = DECODERS.get(event.type)
    if decoder is None:
        return ()
    data = msgspec.structs.asdict(decoder.decode(event.data))
    return facts_of(
        data, event_type=event.type, source=event.source, subject=event.subject, sequence=event.sequence,
        event_id=event.id,
    )  # fmt: skip


async def when_scores_step(session: AsyncSession, partition: str, on: date, clock: Clock) -> None:
    await use_cases.step_scores(session, int(partition), on, scorecards.current(), clock)
