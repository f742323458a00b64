"""Looks at personal data and at risk: each names its purpose, and is in the audit before anything is read."""

from dataclasses import dataclass
from typing import Annotated, Literal, cast, get_args

import asyncpg
from fastapi import Depends, Header, Request

from libs.common import audit
from libs.common.identity import Caller
from libs.common.problems import Problem
from libs.common.web.commands import Reading
from libs.common.web.running import running

Code = Literal["supervision_planning", "case_handling", "audit", "policy_analysis", "complaint_handling"]
CODES: tuple[Code, ...] = get_args(Code)


async def _purpose(
    purpose: Annotated[
        str | None,
        Header(
            description="Why this is looked at; it is recorded with who looks.",
            json_schema_extra={"enum": list(CODES)}, examples=["case_handling"],
        ),
    ] = None,
) -> Code:  # fmt: skip
    if purpose not in CODES:
        raise Problem("purpose-required", 400, params={"codes": ", ".join(CODES)})
    return cast(Code, purpose)


Purpose = Annotated[Code, Depends(_purpose)]
"""Why the caller looks (header `Purpose`, one of a fixed list): 400 where it is missing or unknown."""


@dataclass(frozen=True, slots=True)
class Look:
    """A look that a route is about to grant."""

    request: Request
    purpose: Code
    reading: asyncpg.Connection

    async def record(self) -> None:
        """Write who looks, at what and why; before the reading, so that nothing is seen unrecorded. It is written on
        the connection that reads, outside of any transaction: who held one and waited for another could wait for ever.
        """
        caller, clock = cast(Caller, self.request.state.caller), running(self.request).clock
        await audit.insert(self.reading, caller, "look", self.request.url.path, clock, purpose=self.purpose)


async def _look(request: Request, purpose: Purpose, reading: Reading) -> Look:
    return Look(request, purpose, reading)


Looking = Annotated[Look, Depends(_look)]
"""For a route that shows personal data or risk: `await looking.record()` is its first line."""
