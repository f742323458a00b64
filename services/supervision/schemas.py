"""Request and response bodies. A request is strict: nothing unknown, nothing coerced, everything bounded."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from services.supervision import domain, use_cases
from services.supervision.domain import CodeSet, RiskClass

USCC_PATTERN = "^[0-9A-HJ-NPQRTUWXY]{18}$"
_PERCENT = re.compile(r"(0|[1-9][0-9]{0,2})(\.[0-9]{1,2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _percent(value: Any) -> Decimal:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _PERCENT.fullmatch(value):
        raise PydanticCustomError("percent_format", "not a percentage")
    return Decimal(value)


def _date(value: Any) -> date:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise PydanticCustomError("date_format", "not a date YYYY-MM-DD")


def _uuid(value: Any) -> UUID:
    try:
        if isinstance(value, str):
            return UUID(value)
    except ValueError:
        pass
    raise PydanticCustomError("uuid_parsing", "not a UUID")


Percent = Annotated[
    Decimal,
    BeforeValidator(_percent),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 100},
                {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,2})(\.[0-9]{1,2})?$"},
            ]
        }
    ),
]
Day = Annotated[date, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]
Id = Annotated[UUID, BeforeValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
Uscc = Annotated[str, Field(pattern=USCC_PATTERN)]
Account = Annotated[str, Field(pattern=r"^[!-~]{1,200}$", description="the account (`sub`) of an inspector")]
Department = Annotated[str, Field(pattern=r"^[a-z_-]{1,60}$")]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
InspectionCode = Annotated[str, Field(max_length=64, description="the inspection code (检查码) of this inspection")]
Prefix = Annotated[str, Field(pattern=r"^[0-9]{2,4}$", description="a prefix of GB/T 4754 classes")]

USCC = "91310106MA0000015B"
TASK_ID, DRAW_ID = "52b4b0f5-6c38-43b5-8f0c-0d4b6b0f5a11", "0b9a4e0e-9b73-4a0a-8d5f-3a9e1c7d2b44"
INSPECTION_ID, CORRECTION_ID = "9f1c2d34-5b6a-4c7d-8e9f-0a1b2c3d4e5f", "7a6b5c4d-3e2f-4a1b-9c8d-7e6f5a4b3c2d"
COMMITMENT_ID = "3c9a1f52-77d4-4a0e-b1c6-5d2e8f9a0b13"
HASH = "7e377a5d2c72c09cebe5c44d0232b04fe47cdd1fbccad481fde4db6d7f812323"
JWS = "eyJhbGciOiJFZDI1NTE5In0.eyJkcmF3X2lkIjoiMGI5YSJ9.c2lnbmF0dXJl"
SHOWN_CODE = "5f2d9c1e8b7a43d6905e1c2b3a4f5d6e"
INSPECTOR: dict[str, Any] = {
    "account": "inspector-1", "department": "market_regulation", "conflicts": [USCC], "available": True,
}  # fmt: skip
PLAN: dict[str, Any] = {
    "code_set": "joint_inspection", "items": ["P001"], "legal_basis": "guofa_2019_5", "activities": ["62"],
}  # fmt: skip
TASK: dict[str, Any] = {**PLAN, "ratios": {"A": 1, "B": 5, "C": "12.5", "D": 100}, "scheme": None, "on": "2026-01-12"}
TASK_VIEW: dict[str, Any] = {
    "id": TASK_ID, "draw_id": DRAW_ID, **PLAN, "departments": ["market_regulation"], "kind": "key",
    "ratios": {"A": "1", "B": "5", "C": "12.5", "D": "100"}, "scheme": None, "on": "2026-01-12",
    "filed_on": "2026-01-05", "commitment": HASH, "drawn_on": None, "inspections": 0,
}  # fmt: skip
PUBLIC: dict[str, Any] = {
    "draw_id": DRAW_ID, "task_id": TASK_ID, **PLAN, "departments": ["market_regulation"], "filed_on": "2026-01-05",
    "planned_on": "2026-01-12", "drawn_on": "2026-01-12", "commitment": HASH, "library_size": 40,
    "library_digest": HASH, "objects": [USCC], "inspectors_per_visit": 2, "record_digest": HASH, "jws": JWS,
}  # fmt: skip
RESULTS = [{"code_set": "joint_inspection", "code": "09"}]
INSPECTION: dict[str, Any] = {
    "id": INSPECTION_ID, "code": SHOWN_CODE, "uscc": USCC, "task_id": None, "reason": "commitment_check",
    "commitment_id": COMMITMENT_ID, "item_id": "P033", "code_set": "joint_inspection", "items": ["P033"],
    "legal_basis": "guobanfa_2020_42", "departments": ["fire_and_rescue"], "inspectors": ["inspector-1", "inspector-4"],
    "assigned_on": "2026-01-12", "state": "completed", "results": RESULTS, "reported_on": "2026-01-13",
    "completed_on": "2026-01-13", "publish_by": "2026-02-10", "publish_by_provisional": False, "published_on": None,
    "version": 3,
}  # fmt: skip
CORRECTION: dict[str, Any] = {
    "id": CORRECTION_ID, "inspection_id": INSPECTION_ID, "uscc": USCC, "commitment_id": COMMITMENT_ID,
    "ordered_on": "2026-01-13", "due_on": "2026-02-03", "due_on_provisional": False, "state": "ordered",
    "overdue_on": None, "met_on": None, "version": 1,
}  # fmt: skip


def shown(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


def asked(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, json_schema_extra={"examples": [example]}
    )


class InspectorForm(BaseModel):
    """Somebody who may be sent, and the enterprises that he must keep away from."""

    model_config = asked(INSPECTOR)

    account: Account
    department: Department
    conflicts: list[Uscc] = Field(default_factory=list, max_length=1_000)
    available: bool = True


class InspectorEntry(BaseModel):
    """What stands in the inspector library of one account, whole."""

    model_config = asked({name: INSPECTOR[name] for name in ("department", "conflicts", "available")})

    department: Department
    conflicts: list[Uscc] = Field(max_length=1_000)
    available: bool


class InspectorView(BaseModel):
    model_config = shown({**INSPECTOR, "version": 1})

    account: str
    department: str
    conflicts: list[str]
    available: bool
    version: int


class InspectorPage(BaseModel):
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
    items: list[ObligationView]
    next: str | None


class TaskForm(BaseModel):
    """A task (抽查任务). `ratios` in percent of each class, or the name of a scheme. `on`: the planned day of the draw.

    `activities` directs it at enterprises with such a class; without, it is undirected.
    """

    model_config = asked(TASK)

    code_set: CodeSet
    items: list[Code] = Field(min_length=1, max_length=50)
    legal_basis: Code = "order_722_54"
    ratios: dict[RiskClass, Percent] | None = None
    scheme: str | None = Field(default=None, max_length=100)
    activities: list[Prefix] = Field(default_factory=list, max_length=50)
    on: Day

    def plan(self, today: date, policy: domain.Policy) -> domain.Plan:
        """Raises FormReturned."""
        return domain.planned(
            self.code_set, self.items, self.legal_basis, self.ratios, self.scheme, self.activities, self.on,
            today=today, policy=policy,
        )  # fmt: skip


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
    items: list[DrawObjectView]
    next: str | None


class VerificationView(BaseModel):
    """What repeating the draw has shown. `equal`: all three hold."""

    model_config = shown({"equal": True, "commitment_opens": True, "record_equal": True, "visits_equal": True})

    equal: bool
    commitment_opens: bool
    record_equal: bool
    visits_equal: bool


class TriggerForm(BaseModel):
    """An inspection without a plan. For a commitment check its item is the commitment's; else name one. Inspectors are
    drawn where none are named."""

    model_config = asked({"uscc": USCC, "reason": "commitment_check", "commitment_id": COMMITMENT_ID})

    uscc: Uscc
    reason: use_cases.Reason
    commitment_id: Id | None = None
    item_id: Code | None = None
    inspectors: list[Account] = Field(default_factory=list, max_length=20)
    legal_basis: Code | None = None
    code_set: CodeSet = "joint_inspection"

    def trigger(self) -> use_cases.Trigger:
        return use_cases.Trigger(
            self.uscc, self.reason, self.commitment_id, self.item_id, tuple(self.inspectors), self.legal_basis,
            self.code_set,
        )  # fmt: skip


class ResultCodeForm(BaseModel):
    """One code of inspection_results.csv."""

    model_config = asked(RESULTS[0])

    code_set: CodeSet
    code: Code


class ResultForm(BaseModel):
    """What was found, and the inspection code that shows that the visit was announced."""

    model_config = asked({"code": SHOWN_CODE, "results": RESULTS})

    code: InspectionCode | None = None
    results: list[ResultCodeForm] = Field(max_length=30)


class ConfirmationForm(BaseModel):
    """The second inspector confirms the result that stands."""

    model_config = asked({"code": SHOWN_CODE})

    code: InspectionCode | None = None


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
    items: list[CorrectionView]
    next: str | None
