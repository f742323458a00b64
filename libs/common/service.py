"""What a service is: the whole of its wiring in one value."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.database import Database
from libs.common.envelope import Incoming, Outside
from libs.common.settings import Settings, load

if TYPE_CHECKING:
    import asyncpg
    from fastapi import APIRouter
    from starlette.types import ASGIApp

Apply = Callable[[AsyncSession, Sequence[Incoming], Clock], Awaitable[None]]
"""Give a batch of events their effect, in order, in the session's transaction."""

DueAct = Callable[[AsyncSession, str, date, Clock], Awaitable[None]]
"""What time fires: (session, subject, on, the clock as on that day)."""


Work = Callable[[Database, Clock, asyncio.Event], Coroutine[Any, Any, None]]
"""What a service does of itself until the event is set, in every process of it."""


@dataclass(frozen=True, slots=True)
class TakeRecords:
    """How records of an outside topic are taken, each in the transaction that moves the position past it.

    `take` gives a batch its effect and accounts for every record. What fails by itself in there comes back alone to
    `reject`, which answers that it could not be taken. Both may run again after a restore: derive ids from the record.
    """

    take: Callable[[AsyncSession, Sequence[Outside], Clock], Awaitable[None]]
    reject: Callable[[AsyncSession, Outside, Clock], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Service:
    """One service. `hears` names the services whose events it reads; `apply` gives them their effect.

    `takes`: topics of outsiders and how their records are taken. `outward`: types of our events that outsiders read,
    and the topic on which they do; the relay sends such an event there too, under the same id.

    `at_once`: events that are taken in one transaction at most; many for a consumer that works in bulk. `middleware`
    is plain ASGI, around all that is answered.
    `due_alone`: kinds of dates whose act is heavy and has a transaction of its own; the others share one.
    `works`: long work in the background, which shares itself out among the processes.
    `policy_digest` names the law that this process decides by, as its decisions record it.
    """

    name: str
    settings: type[Settings] = Settings
    routers: Sequence["APIRouter"] = ()
    hears: Sequence[str] = ()
    apply: Apply | None = None
    takes: Mapping[str, TakeRecords] = field(default_factory=dict)
    outward: Mapping[str, str] = field(default_factory=dict)
    at_once: int = 200
    when_due: Mapping[str, DueAct] = field(default_factory=dict)
    on_start: Callable[[Database, Clock], Awaitable[None]] | None = None
    due_alone: frozenset[str] = frozenset()
    works: Sequence[Work] = ()
    policy_digest: Callable[[], str] | None = None
    lift_allocators: "Callable[[asyncpg.Connection, list[Incoming]], Awaitable[list[str]]] | None" = None
    problems: Mapping[type[Exception], Any] = field(default_factory=dict)
    middleware: Sequence["Callable[[ASGIApp], ASGIApp]"] = ()

    def load_settings(self) -> Settings:
        return load(self.settings, self.name)

    def digest(self) -> str | None:
        """The law that this process decides by, or None where it decides nothing."""
        return self.policy_digest() if self.policy_digest is not None else None


def find(name: str) -> Service:
    """The service of this name, or a sentence that says so."""
    try:
        service: Service = importlib.import_module(f"services.{name}.service").service
    except ModuleNotFoundError as error:
        if error.name is not None and not error.name.startswith("services"):
            raise
        raise SystemExit(f"There is no service called {name}.") from None
    return service
