"""Applications as they are answered."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.registration import domain
from services.registration.domain import signing
from services.registration.domain.filed import Item
from services.registration.domain.states import DecidedBy, Status
from services.registration.messages import Language, text
from services.registration.views.decisions import ACCEPTED_EXAMPLE, REFUSED_EXAMPLE, DecisionView, RestrictedView
from services.registration.views.names import NameGroundView
from services.registration.views.signatures import SIGNATURE_EXAMPLE, SignatureView

JUDGED_EXAMPLE: dict[str, Any] = {
    "id": "6105cc38-1855-416d-a878-494a36227cef",
    "status": "registered",
    "uscc": "91310106MA0000015B",
    "decision": ACCEPTED_EXAMPLE,
    "name_grounds": [],
    "round": 1,
    "version": 1,
}
BATCH_EXAMPLE: list[dict[str, Any]] = [
    {"line": 1, "key": "batch-7.1", "status": 201, "replayed": False, "answer": JUDGED_EXAMPLE},
    {"line": 2, "key": "ours-0002", "status": 201, "replayed": True, "answer": JUDGED_EXAMPLE},
    {"done": True, "lines": 2},
]


class JudgedView(BaseModel):
    """The answer to an application: where it stands, the identifier if it is registered, and why. `name_grounds`: why
    an officer looks at its name."""

    model_config = ConfigDict(json_schema_extra={"examples": [JUDGED_EXAMPLE]})

    id: UUID
    status: Status
    uscc: str | None
    decision: DecisionView
    name_grounds: list[NameGroundView]
    round: int
    version: int


STANDING_EXAMPLE: dict[str, Any] = {
    "id": "6105cc38-1855-416d-a878-494a36227cef",
    "status": "corrections_requested",
    "uscc": None,
    "round": 1,
    "version": 2,
    "correct_by": "2026-01-19",
}
ITEM_EXAMPLE: dict[str, Any] = {
    **STANDING_EXAMPLE,
    "enterprise_name": "上海青禾通信有限公司",
    "submitted_at": "2026-01-05T02:30:00Z",
}
APPLICATION_VIEW_EXAMPLE: dict[str, Any] = {
    **JUDGED_EXAMPLE,
    "status": "refused",
    "uscc": None,
    "decision": REFUSED_EXAMPLE,
    "enterprise_name": "上海青禾渔业有限公司",
    "submitted_at": "2026-01-05T02:30:00Z",
    "decide_by": None,
    "corrections": [],
    "correct_by": None,
    "decided": {
        "outcome": "refused", "by": "screening", "on": "2026-01-05", "reason": None, "officer": None,
        "countersigned_by": None, "overridden": [], "judged_again": None,
    },
    "proposed": None,
    "restricted": None,
    "concerns": [],
    "signatures": [SIGNATURE_EXAMPLE],
    "sign_by": None,
    "lacking": ["contributions", "beneficial_owners"],
}  # fmt: skip


class StandingView(BaseModel):
    """Where an application stands after an act. What was said of it is read with the application itself."""

    model_config = ConfigDict(json_schema_extra={"examples": [STANDING_EXAMPLE]})

    id: UUID
    status: Status
    uscc: str | None
    round: int
    version: int
    correct_by: date | None


class ApplicationItem(StandingView):
    """An application in a list."""

    model_config = ConfigDict(json_schema_extra={"examples": [ITEM_EXAMPLE]})

    enterprise_name: str
    submitted_at: datetime


class ApplicationList(BaseModel):
    """Applications, the latest first; `next` is the cursor of the page after this one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [ITEM_EXAMPLE], "next": None}]})

    items: list[ApplicationItem]
    next: str | None


class CorrectionView(BaseModel):
    """A field of the form that is to be corrected, and what the officer says about it."""

    field: str
    words: str


class OverriddenView(BaseModel):
    """A finding that an officer's registration has set aside."""

    activity: str | None
    item_key: str | None
    reasons: list[str]


class DecidedView(BaseModel):
    """How an application ended. `judged_again`: what the law of that day said of it when an officer decided. The
    officer's account is shown to staff alone."""

    outcome: Status
    by: DecidedBy
    on: date
    reason: str | None = None
    officer: str | None = None
    countersigned_by: str | None = None
    overridden: list[OverriddenView]
    judged_again: DecisionView | None = None

    @classmethod
    def of(cls, decided: Mapping[str, Any], language: Language, *, to_staff: bool) -> Self:
        record = decided.get("record")
        return cls(
            outcome=decided["outcome"],
            by=decided["by"],
            on=date.fromisoformat(decided["on"]),
            reason=decided.get("reason"),
            officer=decided.get("officer") if to_staff else None,
            countersigned_by=decided.get("countersigned", {}).get("officer") if to_staff else None,
            overridden=[OverriddenView(**one) for one in decided.get("overridden", [])],
            judged_again=DecisionView.recorded(record, language) if record else None,
        )


class ProposedView(BaseModel):
    """A registration that one officer has proposed and that waits for another; shown to staff alone."""

    officer: str
    reason: str
    on: date


class ConcernView(BaseModel):
    """Somebody named in the form bears the name of one who is barred from applying, which an officer looks into.
    `until`, the last day of the ban, is shown to staff alone."""

    field: str
    detail: str
    until: date | None


class ApplicationView(JudgedView):
    """An application as it stands: how it was judged, what is to be corrected and until when, and how it ended.
    `decide_by`: the last day on which an officer decides in time; `sign_by`: on which it is signed in time. `lacking`:
    what the form leaves to be filed."""

    model_config = ConfigDict(json_schema_extra={"examples": [APPLICATION_VIEW_EXAMPLE]})

    enterprise_name: str
    submitted_at: datetime
    decide_by: date | None
    corrections: list[CorrectionView]
    correct_by: date | None
    decided: DecidedView | None
    proposed: ProposedView | None
    restricted: RestrictedView | None
    concerns: list[ConcernView]
    signatures: list[SignatureView]
    sign_by: date | None
    lacking: list[Item]

    @classmethod
    def of(cls, row: Mapping[str, Any], language: Language, *, to_staff: bool) -> Self:
        """From a row whose JSON columns are read."""
        decided = row["decided"]
        doubt = text("party_may_be_barred", language)
        return cls(
            id=row["id"],
            status=row["status"],
            uscc=row["uscc"],
            round=row["round"],
            version=row["version"],
            enterprise_name=row["enterprise_name"],
            submitted_at=row["submitted_at"],
            decision=DecisionView.recorded(row["decision"], language),
            name_grounds=NameGroundView.all_of(row["name_grounds"] or [], language),
            decide_by=row["decide_by"],
            corrections=[CorrectionView(**one) for one in row["corrections"]],
            correct_by=row["correct_by"],
            decided=DecidedView.of(decided, language, to_staff=to_staff) if decided else None,
            proposed=ProposedView(**row["proposed"]) if to_staff and row["proposed"] else None,
            restricted=RestrictedView(**row["restricted"]) if to_staff and row["restricted"] else None,
            concerns=[
                ConcernView(field=one["field"], detail=doubt, until=one["until"] if to_staff else None)
                for one in row["concerns"]
            ],
            signatures=[SignatureView.model_validate(one) for one in row["signatures"]],
            sign_by=row["sign_by"],
            lacking=row["lacking"],
        )


SENT_EXAMPLE: dict[str, Any] = {
    "id": "6105cc38-1855-416d-a878-494a36227cef",
    "version": 1,
    "form": {
        "enterprise_name": {"division": "上海", "trade_name": "青禾", "industry": "餐饮", "form": "有限公司"},
        "enterprise_type": "limited_company",
        "registered_capital": "5000000.00",
        "capital_currency": "CNY",
        "activities": ["6210", "5432"],
        "area": "310106012",
        "investors": [
            {
                "name": None, "kind": "legal", "country": "DE", "share": "60", "is_fie": False,
                "settled_abroad": False, "affiliate_group": None,
            }
        ],
        "legal_representative": {"name": None, "nationality": "DE"},
        "term": {"starts": "2026-02-01", "ends": None},
        "treaty_claim": None,
        "permit_facts": {"sells_liquor": True},
    },
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "signed": {"form": {"registered_capital": "5000000.00"}, "facts": {"place": "310106012"}},
}  # fmt: skip


class SentView(BaseModel):
    """The form as it was sent last. Names of people and bodies are shown to its owner and to those who sign it; null to
    anybody else, and where they are no longer held. `signed`: what a signature is given to, with random ids in place of
    names; `digest`: its SHA-256 as JSON with names in order, without spaces, in UTF-8."""

    model_config = ConfigDict(json_schema_extra={"examples": [SENT_EXAMPLE]})

    id: UUID
    version: int
    form: dict[str, Any]
    digest: str
    signed: dict[str, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any], *, to_owner: bool) -> Self:
        """From a row whose JSON columns are read."""
        form, facts = row["form"], row["decision"]["facts"]
        names = (row["names"] or {}) if to_owner else {}
        signers = row["signers"] or {}
        parties = form["investor_parties"]
        starts, ends = form["term"] or (None, None)
        signed = signing.content(form, facts)
        return cls(
            id=row["id"],
            version=row["version"],
            digest=signing.digest(signed),
            signed=signed,
            form={
                "enterprise_name": form["name"],
                "enterprise_type": facts["enterprise_type"],
                "registered_capital": form["registered_capital"],
                "capital_currency": form["capital_currency"],
                "activities": facts["activities"],
                "area": facts["place"],
                "investors": [
                    {
                        "name": names.get(party),
                        **investor,
                        **_contribution(form, position),
                        **_signer(signers, f"investors.{position}"),
                    }
                    for position, (party, investor) in enumerate(zip(parties, facts["investors"], strict=True))
                ],
                "legal_representative": {
                    "name": names.get(form["legal_representative"]),
                    "nationality": facts["legal_representative_nationality"],
                    **_signer(signers, signing.LEGAL_REPRESENTATIVE),
                },
                "term": {"starts": starts, "ends": ends} if starts else None,
                "treaty_claim": facts["treaty_claim"],
                "permit_facts": form.get("permit_facts", {}),
                **({"address": form["address"]} if form.get("address") else {}),
                **_filed(form.get("filed") or {}, names),
            },
        )


def _signer(signers: Mapping[str, str], field: str) -> dict[str, str]:
    return {"signer": signers[field]} if field in signers else {}


def _contribution(form: Mapping[str, Any], position: int) -> dict[str, Any]:
    stated = (form.get("filed") or {}).get("contributions") or []
    return {"contribution": stated[position]} if stated else {}


def _filed(kept: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """What was filed beside the registered items, as the form states it; nothing of what was left out."""
    stated: dict[str, Any] = {}
    if controller := kept.get("actual_controller"):
        stated["actual_controller"] = {
            "name": names.get(controller), "kind": kept["kinds"][controller], "country": kept["countries"][controller],
            "control": kept["control"],
        }  # fmt: skip
    if owners := kept.get("beneficial_owners"):
        stated["beneficial_owners"] = [
            {"name": names.get(owner), "nationality": kept["countries"][owner]} for owner in owners
        ]
    if agent := kept.get("service_agent"):
        stated["service_agent"] = {
            "name": names.get(agent), "kind": kept["kinds"][agent], "address": kept["service_address"],
        }  # fmt: skip
    if kept.get("negative_list_commitment"):
        stated["negative_list_commitment"] = True
    return stated


REPLAYED_EXAMPLE: dict[str, Any] = {
    "round": 1,
    "by": "screening",
    "judged_for": "2026-01-05",
    "recorded_digest": ACCEPTED_EXAMPLE["policy_digest"],
    "recorded_outcome": "review",
    "outcome": "review",
    "agrees": True,
    "same_policy": True,
}


class ReplayedView(BaseModel):
    """One recorded judgement, and what the same facts give for the same day now. `same_policy`: whether the policy
    that is loaded is the one that decided; where it is not, a difference may come from that."""

    round: int
    by: DecidedBy
    judged_for: date
    recorded_digest: str
    recorded_outcome: domain.Outcome
    outcome: domain.Outcome
    agrees: bool
    same_policy: bool


class ReplayView(BaseModel):
    """All judgements of an application, judged again."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "agrees": True,
                    "policy_digest": ACCEPTED_EXAMPLE["policy_digest"],
                    "same_policy": True,
                    "judgements": [REPLAYED_EXAMPLE],
                }
            ]
        }
    )

    agrees: bool
    policy_digest: str
    same_policy: bool
    judgements: list[ReplayedView]
