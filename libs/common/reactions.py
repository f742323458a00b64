"""Reactions: which act an event of another service leads to; events come in through the same use cases as people do."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from opentelemetry import propagate
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.envelope import Event, Incoming, UnknownVersion, base_and_version
from libs.common.outbox import Cause
from libs.common.telemetry import tracer

E = TypeVar("E", bound=Event)
T = TypeVar("T")
Reaction = Callable[[AsyncSession, Incoming, E, Clock], Awaitable[None]]
"""`(session, incoming, event, clock)`: `incoming` is the envelope (subject, id), `event` its decoded data."""


def how_read(table: Mapping[str, T], type: str) -> T | None:
    """What stands in a service's table for events of this type, None where it does not read them.

    Raises UnknownVersion where it reads another version of them: they are not passed over.
    """
    if (found := table.get(type)) is None:
        base = base_and_version(type)[0]
        if any(base_and_version(known)[0] == base for known in table):
            raise UnknownVersion(type)
    return found


class Reactions:
    """The table of a service's reactions; `apply` is what its Service is given."""

    def __init__(self) -> None:
        self.table: dict[str, tuple[msgspec.json.Decoder[Any], Reaction[Any]]] = {}

    def on(self, kind: type[E]) -> Callable[[Reaction[E]], Reaction[E]]:
        """Register the reaction to one consumed type."""

        def register(reaction: Reaction[E]) -> Reaction[E]:
            self.table[kind.type] = msgspec.json.Decoder(kind), reaction
            return reaction

        return register

    async def apply(self, session: AsyncSession, events: Sequence[Incoming], clock: Clock) -> None:
        """Give each event its effect, in order. The ids of what a reaction says derive from its event's id."""
        for incoming in events:
            if (found := how_read(self.table, incoming.type)) is None:
                continue
            decoder, reaction = found
            session.info["cause"] = Cause(incoming.id, incoming.correlation_id)
            parent = propagate.extract({"traceparent": incoming.traceparent or ""})
            with tracer.start_as_current_span(f"react to {incoming.type}", context=parent):
                await reaction(session, incoming, decoder.decode(incoming.data), clock)
