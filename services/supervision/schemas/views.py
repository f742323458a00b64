"""Response bodies."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.supervision.domain import CodeSet, RiskClass
from services.supervision.schemas.examples import (
    COMMITMENT_ID,
    CORRECTION,
    DRAW_ID,
    HASH,
    INSPECTION,
    INSPECTION_ID,
    INSPECTOR,
    JWS,
    PUBLIC,
    RESULTS,
    TASK_VIEW,
    USCC,
)


def shown(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


def listed(kind: type[BaseModel]) -> ConfigDict:
    """A page with the example of what it lists."""
    extra: Any = kind.model_config["json_schema_extra"]
    return shown({"items": extra["examples"], "next": None})


class InspectorView(BaseModel):
    model_config = shown({**INSPECTOR, "version": 1})

    account: str
    department: str
    conflicts: list[str]
    available: bool
    version: int


class InspectorPage(BaseModel):
    model_config = listed(InspectorView)

    items: list[InspectorView]
    next: str | None


class ObjectView(BaseModel):
    """An enterprise in the object library: standing permits and listings, and commitments still to be checked."""

    model_config = shown(
        {
            "uscc": USCC, "registered_on": "2026-01-05", "deregistered_on": None, "activities": ["6210"],
            "area": "310106012", "permits": ["P001", "P033"], "lists": [], "obligations": 1,
        }
    )  # fmt: skip

    uscc: str
    registered_on: date
    deregistered_on: date | None
    activities: list[str]
    area: str
    permits: list[str]
    lists: list[str]
    obligations: int


class ObjectPage(BaseModel):
    model_config = listed(ObjectView)

    items: list[ObjectView]
    next: str | None


class ObligationView(BaseModel):
    """A commitment whose facts are still to be checked; `overdue` since the day after `check_by`."""

    model_config = shown(
        {
            "commitment_id": COMMITMENT_ID, "uscc": USCC, "permit_id": DRAW_ID, "item_id": "P033",
            "department": "fire_and_rescue", "given_on": "2026-01-06", "check_by": "2026-03-06", "overdue": False,
        }
    )  # fmt: skip

    commitment_id: UUID
    uscc: str
    permit_id: UUID
    item_id: str
    department: str
    given_on: date
    check_by: date
    overdue: bool


class ObligationPage(BaseModel):
    model_config = listed(ObligationView)

    items: list[ObligationView]
    next: str | None


class TaskView(BaseModel):
    """A filed task. `commitment` is SHA-256(seed || task id); the seed is shown to nobody before the draw."""

    model_config = shown(TASK_VIEW)

    id: UUID
    draw_id: UUID
    code_set: CodeSet
    items: list[str]
    legal_basis: str
    departments: list[str]
    kind: Literal["general", "key"]
    ratios: dict[RiskClass, str]
    scheme: str | None
    activities: list[str]
    on: date
    filed_on: date
    commitment: str
    drawn_on: date | None
    inspections: int


class TaskPage(BaseModel):
    model_config = listed(TaskView)

    items: list[TaskView]
    next: str | None


class PublicDrawView(BaseModel):
    """What anyone may know of a draw. Before it is made: the plan and the commitment. After: also the list it was drawn
    from, by size and digest, the enterprises drawn, and the digest of the auditor's record. `jws` signs all of it."""

    model_config = shown(PUBLIC)

    draw_id: UUID
    task_id: UUID
    code_set: CodeSet
    items: list[str]
    legal_basis: str
    departments: list[str]
    activities: list[str]
    filed_on: date
    planned_on: date
    drawn_on: date | None
    commitment: str
    library_size: int | None = None
    library_digest: str | None = None
    objects: list[str] | None = None
    inspectors_per_visit: int | None = None
    record_digest: str | None = None
    jws: str | None = None


class AuditedDrawView(BaseModel):
    """The auditor's record: seed, strata, exclusions, inspectors, visits; signed. With the objects (`/draw/objects`)
    the draw can be repeated by anyone who may read both. Internal use."""

    model_config = shown(
        {
            "draw_id": DRAW_ID, "record_digest": HASH, "jws": JWS,
            "record": {
                "seed": HASH, "commitment": HASH, "library_digest": HASH,
                "strata": [{"risk_class": "D", "size": 1, "ratio_pct": "100", "drawn": [USCC]}],
                "excluded": [], "visits": [{"uscc": USCC, "inspectors": ["inspector-1", "inspector-2"]}],
            },
        }
    )  # fmt: skip

    draw_id: UUID
    record: dict[str, Any]
    record_digest: str
    jws: str


class DrawObjectView(BaseModel):
    """An enterprise as it was drawn from, with its class. Internal use."""

    model_config = shown({"uscc": USCC, "risk_class": "B", "excluded": None})

    uscc: str
    risk_class: RiskClass
    excluded: str | None


class DrawObjectPage(BaseModel):
    model_config = listed(DrawObjectView)

    items: list[DrawObjectView]
    next: str | None


class VerificationView(BaseModel):
    """What repeating the draw has shown. `equal`: all three hold."""

    model_config = shown({"equal": True, "commitment_opens": True, "record_equal": True, "visits_equal": True})

    equal: bool
    commitment_opens: bool
    record_equal: bool
    visits_equal: bool


class ResultCodeView(BaseModel):
    code_set: CodeSet
    code: str


class InspectionView(BaseModel):
    """An inspection as its inspectors and the supervisor see it."""

    model_config = shown(INSPECTION)

    id: UUID
    code: str
    uscc: str
    task_id: UUID | None
    reason: Literal["planned", "complaint", "clue", "commitment_check"]
    commitment_id: UUID | None
    item_id: str | None
    code_set: CodeSet
    items: list[str]
    legal_basis: str
    departments: list[str]
    inspectors: list[str]
    assigned_on: date
    state: Literal["assigned", "reported", "completed", "published"]
    results: list[ResultCodeView] | None
    reported_on: date | None
    completed_on: date | None
    publish_by: date | None
    publish_by_provisional: bool
    published_on: date | None
    version: int


class InspectionPage(BaseModel):
    model_config = listed(InspectionView)

    items: list[InspectionView]
    next: str | None


class ItemShown(BaseModel):
    code: str
    name: str | None
    legal_basis: str | None


class ShownInspectionView(BaseModel):
    """What an inspection code shows to anyone who holds it: the task, the items, the rules, and how many inspectors of
    which departments; no names."""

    model_config = shown(
        {
            "uscc": USCC, "task_id": None, "reason": "commitment_check", "legal_basis": "guobanfa_2020_42",
            "legal_basis_title": "Guiding opinions on notification and commitment: facts are checked later",
            "items": [{"code": "P033", "name": "Fire safety inspection before public venues open",
                       "legal_basis": "Fire Law Art 15, 73"}],
            "inspectors": 2, "departments": {"fire_and_rescue": 1, "market_regulation": 1}, "assigned_on": "2026-01-12",
            "completed": False,
        }
    )  # fmt: skip

    uscc: str
    task_id: UUID | None
    reason: Literal["planned", "complaint", "clue", "commitment_check"]
    legal_basis: str
    legal_basis_title: str
    items: list[ItemShown]
    inspectors: int
    departments: dict[str, int]
    assigned_on: date
    completed: bool


class PublishedResultView(BaseModel):
    """A result that is public, with its codes in the caller's language."""

    model_config = shown(
        {
            "inspection_id": INSPECTION_ID, "uscc": USCC, "completed_on": "2026-01-13", "published_on": "2026-02-10",
            "results": [{**RESULTS[0], "result": "Problem found, to be handled"}],
        }
    )  # fmt: skip

    inspection_id: UUID
    uscc: str
    completed_on: date
    published_on: date
    results: list[dict[str, str]]


class PublishedResultPage(BaseModel):
    model_config = listed(PublishedResultView)

    items: list[PublishedResultView]
    next: str | None


class CorrectionView(BaseModel):
    """An order to correct. `due_on` is the last day in time."""

    model_config = shown(CORRECTION)

    id: UUID
    inspection_id: UUID
    uscc: str
    commitment_id: UUID | None
    ordered_on: date
    due_on: date
    due_on_provisional: bool
    state: Literal["ordered", "overdue", "met"]
    overdue_on: date | None
    met_on: date | None
    version: int


class CorrectionPage(BaseModel):
    model_config = listed(CorrectionView)

    items: list[CorrectionView]
    next: str | None
