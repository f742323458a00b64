"""The audit: who did what, and who looked at what, for which purpose. `sealer` chains the entries within a second."""

import asyncpg
import msgspec
from opentelemetry import trace
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.database import raw
from libs.common.identity import Caller

ADD = "INSERT INTO audit (entry, actor, object) VALUES ($1, $2, $3)"
encode = msgspec.json.Encoder(order="sorted").encode


async def add(
    session: AsyncSession, caller: Caller | None, action: str, object: str, clock: Clock, **details: str | int
) -> None:
    """Record what `caller` does to `object`, in the transaction that does it. No personal data, no free text.

    `caller` is None where nobody has identified themselves, or where time or an event acts.
    """
    await insert(await raw(session), caller, action, object, clock, **details)


async def insert(
    connection: asyncpg.Connection, caller: Caller | None, action: str, object: str, clock: Clock, **details: str | int
) -> None:
    context = trace.get_current_span().get_span_context()
    actor = caller.subject if caller else None
    entry = {
        "actor": actor,
        "roles": sorted(caller.roles) if caller else [],
        "action": action,
        "object": object,
        "at": clock.now().isoformat(),
        "trace": format(context.trace_id, "032x") if context.is_valid else None,
        **details,
    }
    await connection.execute(ADD, encode(entry), actor, object)
