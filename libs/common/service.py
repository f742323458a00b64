"""What a service is: the whole of its wiring in one value."""

import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.database import Database
from libs.common.envelope import Incoming
from libs.common.settings import Settings, load

if TYPE_CHECKING:
    import asyncpg
    from fastapi import APIRouter

Apply = Callable[[AsyncSession, Sequence[Incoming], Clock], Awaitable[None]]
"""Give a batch of events their effect, in order, in the session's transaction."""

DueAct = Callable[[AsyncSession, str, date, Clock], Awaitable[None]]
"""What time fires: (session, subject, on, the clock as on that day)."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service. `hears` names the services whose events it reads; `apply` gives them their effect.

    `whole_answers` takes everything that Kafka hands over at once in one transaction, instead of one per partition
    of at most 500 events: for consumers that work in bulk.
    """

    name: str
    settings: type[Settings] = Settings
    routers: Sequence["APIRouter"] = ()
    hears: Sequence[str] = ()
    apply: Apply | None = None
    whole_answers: bool = False
    when_due: Mapping[str, DueAct] = field(default_factory=dict)
    on_start: Callable[[Database, Clock], Awaitable[None]] | None = None
    lift_allocators: "Callable[[asyncpg.Connection, list[Incoming]], Awaitable[list[str]]] | None" = None
    problems: Mapping[type[Exception], Any] = field(default_factory=dict)

    def load_settings(self) -> Settings:
        return load(self.settings, self.name)


def find(name: str) -> Service:
    """The service of this name, or a sentence that says so."""
    try:
        service: Service = importlib.import_module(f"services.{name}.service").service
    except ModuleNotFoundError as error:
        if error.name is not None and not error.name.startswith("services"):
            raise
        raise SystemExit(f"There is no service called {name}.") from None
    return service
