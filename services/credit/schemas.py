"""Request and response bodies of credit."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.credit.domain.policy import CreditList
from services.credit.use_cases.lists import Removal
from services.credit.use_cases.records import ErasureReason

RECORD = "f2f0c1b4-6a5c-5c1e-8f0e-5c1b7a2f9d11"
LISTING = "0a7c6d4e-1b2f-4c3d-9e8f-7a6b5c4d3e2f"
REPAIR = "7b1d2c3e-4f50-4a6b-8c7d-9e0f1a2b3c4d"
PROPOSAL = "3c9f0a1b-2d3e-5f4a-9b6c-7d8e9f0a1b2c"
PERMIT = "5d2e8f1a-7b3c-4d9e-8a6f-1c0b2d3e4f5a"
DIGEST = "65fe06aa7d2c72c09cebe5c44d0232b04fe47cdd1fbccad481fde4db6d7f8123"

RECORD_EXAMPLE: dict[str, JsonValue] = {
    "id": RECORD, "kind": "commitment_breach", "ground": "CB1", "origin": "licensing",
    "origin_id": "9d3f6a20-54f4-4a3c-9f0b-8a7b6c5d4e3f", "version": 1, "effective_on": "2026-02-10",
    "received_at": "2026-02-10T01:30:00Z", "flags": [], "state": "standing", "public_until": None,
    "public_ended_on": None, "closed_on": None, "closed_because": None,
}  # fmt: skip
LISTING_EXAMPLE: dict[str, JsonValue] = {
    "id": LISTING, "list": "serious_illegal_dishonest", "ground": "SE-GEN", "basis": RECORD, "listed_on": "2026-03-02",
    "ends_on": "2029-03-02", "state": "standing", "ended_on": None, "ended_because": None,
}  # fmt: skip
CREDIT_EXAMPLE: dict[str, JsonValue] = {
    "uscc": "91310106MA0000015B", "registered_on": "2026-01-05", "restrictions": ["commitment_mode"],
    "restriction_grounds": ["CB1", "SE-GEN"], "listings": [LISTING_EXAMPLE], "records": [RECORD_EXAMPLE],
    "records_next": None,
}  # fmt: skip
REPAIR_EXAMPLE: dict[str, JsonValue] = {
    "id": REPAIR, "uscc": "91310106MA0000015B", "target": RECORD, "target_kind": "record",
    "record_kind": "commitment_breach", "applied_on": "2026-04-01", "decide_by": "2026-04-13", "provisional": False,
    "state": "in_review",
    "facts": {
        "concerns": "commitment_breach", "since": "2026-02-10", "earliest": "2026-02-10",
        "term_source": "the district's own setting", "term_confidence": "own_setting",
        "standing_grounds": ["CB1", "SE-GEN"], "policy_digest": DIGEST,
    },
    "decision": None, "version": 1,
}  # fmt: skip
PROPOSAL_EXAMPLE: dict[str, JsonValue] = {
    "id": PROPOSAL, "uscc": "91310106MA0000015B", "list": "serious_illegal_dishonest", "ground": "SE-GEN",
    "because": PERMIT, "basis": RECORD, "proposed_on": "2026-03-02", "decide_by": "2026-03-30", "state": "open",
    "decision": None, "version": 1,
}  # fmt: skip
RECEIVED_EXAMPLE: dict[str, JsonValue] = {
    "identity": "sh-2026-000123#1", "place": "city.credit.records:4:17", "record_id": "sh-2026-000123", "version": 1,
    "outcome": "rejected", "reason": "unknown_ground", "field": "ground", "flags": [],
    "received_at": "2026-01-05T01:30:00Z",
}  # fmt: skip
EXCHANGE_EXAMPLE: dict[str, JsonValue] = {
    "counts": {"accepted": 41, "flagged": 3, "rejected": 2, "duplicate": 6, "conflicting": 0},
    "items": [RECEIVED_EXAMPLE], "next": None,
}  # fmt: skip

Words = Annotated[
    str,
    Field(
        min_length=1, max_length=500,
        pattern=r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]*$",
        description="for the file and for the enterprise; it goes into no event",
    ),
]  # fmt: skip


def _examples(*examples: dict[str, JsonValue]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [*examples]})


class Body(BaseModel):
    """A body that people send."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class ListForm(Body):
    """Put the enterprise on a list. `basis`: a record of it, or the inspection or permit that a proposal names."""

    model_config = _examples({"list": "serious_illegal_dishonest", "ground": "SE-GEN", "basis": RECORD})

    list: CreditList
    ground: Annotated[str, Field(pattern="^[A-Z0-9-]{1,12}$")]
    basis: UUID


class RemovalForm(Body):
    """End a listing: its ground is cured (abnormal operation list only), or an objection was right."""

    model_config = _examples({"reason": "ground_cured"})

    reason: Removal


class RefusalForm(Body):
    """Decide against a proposal."""

    model_config = _examples({"reason": "复核后已可联系"})

    reason: Words


class RepairForm(Body):
    """Apply for repair of a record or a listing (its id)."""

    model_config = _examples({"target": RECORD})

    target: UUID


class RepairDecisionForm(Body):
    """Grant or refuse a repair."""

    model_config = _examples({"granted": True, "reason": "已整改，同意信用修复"})

    granted: Annotated[bool, Field(strict=True)]
    reason: Words


class ErasureForm(Body):
    """Withdraw a record as if it had never been."""

    model_config = _examples({"reason": "annulled"})

    reason: ErasureReason


class RecordView(BaseModel):
    """A record and where it came from. `state`: standing, repaired; `public_until`: the last day of being shown."""

    model_config = _examples(RECORD_EXAMPLE)

    id: UUID
    kind: str
    ground: str | None
    origin: str
    origin_id: str
    version: int
    effective_on: date
    received_at: datetime
    flags: list[str]
    state: str
    public_until: date | None
    public_ended_on: date | None
    closed_on: date | None
    closed_because: str | None


class ListingView(BaseModel):
    """A listing, standing or ended. `ends_on` is empty where only a cure ends it."""

    model_config = _examples(LISTING_EXAMPLE)

    id: UUID
    list: str
    ground: str
    basis: UUID
    listed_on: date
    ends_on: date | None
    state: str
    ended_on: date | None
    ended_because: str | None


class CreditView(BaseModel):
    """What stands against an enterprise. The 50 records received last; `records_next` is the cursor of the others."""

    model_config = _examples(CREDIT_EXAMPLE)

    uscc: str
    registered_on: date | None
    restrictions: list[str]
    restriction_grounds: list[str]
    listings: list[ListingView]
    records: list[RecordView]
    records_next: str | None


class RecordsPage(BaseModel):
    """Records of an enterprise, the last received first."""

    model_config = _examples({"items": [RECORD_EXAMPLE], "next": None})

    items: list[RecordView]
    next: str | None


class ProposalView(BaseModel):
    """What speaks for a listing. `because`: the inspection or the permit that it comes from."""

    model_config = _examples(PROPOSAL_EXAMPLE)

    id: UUID
    uscc: str
    list: str
    ground: str
    because: UUID
    basis: UUID | None
    proposed_on: date
    decide_by: date
    state: str
    decision: dict[str, Any] | None
    version: int


class RepairView(BaseModel):
    """An application for repair, the facts it is judged on, and its decision."""

    model_config = _examples(REPAIR_EXAMPLE)

    id: UUID
    uscc: str
    target: UUID
    target_kind: str
    record_kind: str | None
    applied_on: date
    decide_by: date
    provisional: bool
    state: str
    facts: dict[str, Any]
    decision: dict[str, Any] | None
    version: int


class Erased(BaseModel):
    """The record is withdrawn."""

    model_config = _examples({"id": RECORD, "erased_on": "2026-04-01"})

    id: UUID
    erased_on: date


class ReceivedView(BaseModel):
    """A record of the city and the answer to it."""

    model_config = _examples(RECEIVED_EXAMPLE)

    identity: str
    place: str
    record_id: str | None
    version: int | None
    outcome: str
    reason: str | None
    field: str | None
    flags: list[str]
    received_at: datetime


class ExchangeView(BaseModel):
    """The exchange with the city: how many records came with which outcome, and the last ones that were answered.

    `duplicate`: came again; `conflicting`: came again under the same version with another content, and was not taken.
    """

    model_config = _examples(EXCHANGE_EXAMPLE)

    counts: dict[str, int]
    items: list[ReceivedView]
    next: str | None
