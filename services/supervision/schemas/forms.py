"""Request bodies. A request is strict: nothing unknown, nothing coerced, everything bounded."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from libs.common.web.fields import Day, Id
from services.supervision import domain, use_cases
from services.supervision.domain import CodeSet, RiskClass
from services.supervision.schemas.examples import COMMITMENT_ID, INSPECTOR, RESULTS, SHOWN_CODE, TASK, USCC

USCC_PATTERN = "^[0-9A-HJ-NPQRTUWXY]{18}$"
_PERCENT = re.compile(r"(0|[1-9][0-9]{0,2})(\.[0-9]{1,2})?")


def _percent(value: Any) -> Decimal:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _PERCENT.fullmatch(value):
        raise PydanticCustomError("percent_format", "not a percentage")
    return Decimal(value)


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
Uscc = Annotated[str, Field(pattern=USCC_PATTERN)]
Account = Annotated[str, Field(pattern=r"^[!-~]{1,200}$", description="the account (`sub`) of an inspector")]
Department = Annotated[str, Field(pattern=r"^[a-z_-]{1,60}$")]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
InspectionCode = Annotated[str, Field(max_length=64, description="the inspection code (检查码) of this inspection")]
Prefix = Annotated[str, Field(pattern=r"^[0-9]{2,4}$", description="a prefix of GB/T 4754 classes")]


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
