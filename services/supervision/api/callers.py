"""Who asks, and how far they see."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

from libs.common.identity import Caller
from libs.common.web import allowed
from services.supervision.schemas import examples, forms

Supervisor = Annotated[Caller, allowed("supervisor")]
SupervisorOrAuditor = Annotated[Caller, allowed("supervisor", "auditor")]
Inspector = Annotated[Caller, allowed("inspector")]
InspectorOrSupervisor = Annotated[Caller, allowed("inspector", "supervisor")]

Id = Annotated[UUID, Path(examples=[examples.INSPECTION_ID])]
AnyUscc = Annotated[str | None, Query(pattern=forms.USCC_PATTERN, examples=[examples.USCC])]


def inspecting(caller: Caller) -> str | None:
    """The account whose own inspections the caller is bound to; None for who sees them all."""
    return None if caller.has("supervisor") else caller.subject
