"""Who asks, and how far they see."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

from libs.common.identity import Caller
from libs.common.web import allowed
from services.supervision import schemas

Supervisor = Annotated[Caller, allowed("supervisor")]
SupervisorOrAuditor = Annotated[Caller, allowed("supervisor", "auditor")]
Inspector = Annotated[Caller, allowed("inspector")]
InspectorOrSupervisor = Annotated[Caller, allowed("inspector", "supervisor")]

Id = Annotated[UUID, Path(examples=[schemas.INSPECTION_ID])]
AnyUscc = Annotated[str | None, Query(pattern=schemas.USCC_PATTERN, examples=[schemas.USCC])]


def inspecting(caller: Caller) -> str | None:
    """The account whose own inspections the caller is bound to; None for who sees them all."""
    return None if caller.has("supervisor") else caller.subject
