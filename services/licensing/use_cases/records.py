"""A determination as it is kept: enough to judge it again and to see that the answer is the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.licensing import domain, tables
from services.licensing.domain import Catalogue, Facts, PermitItem, Requirement


def facts_of(enterprise: tables.Enterprise) -> Facts:
    return Facts(tuple(enterprise.activities), enterprise.answers, enterprise.capital)  # type: ignore[arg-type]


def recorded(facts: Facts, on: date, catalogue: Catalogue, item_id: str | None = None) -> dict[str, Any]:
    """Judge these facts for this day and record it, as JSON; of one item alone where one is named."""
    found = domain.requirements(facts, on, catalogue)
    return {
        "judged_for": on.isoformat(),
        "policy_digest": catalogue.digest,
        "item_id": item_id,
        "facts": {
            "activities": list(facts.activities),
            "answers": dict(sorted(facts.answers.items())),
            "capital": facts.capital,
        },
        "requirements": [requirement(one, catalogue) for one in found if item_id in (None, one.row.item_id)],
    }


def requirement(found: Requirement, catalogue: Catalogue) -> dict[str, Any]:
    """A row that applies, as it read on the day, with the questions to ask in both languages."""
    return {
        **_of_row(found.row),
        "due": found.due,
        "why": [{"activity": activity, "trigger": trigger} for activity, trigger in found.triggers],
        "holds": list(found.holds),
        "questions": [
            {
                "fact": code,
                "zh": catalogue.conditions[code].question_zh,
                "en": catalogue.conditions[code].question,
                "answered_by": catalogue.conditions[code].answered_by,
            }
            for code in found.questions
        ],
        "blocks_start": found.blocks,
    }


def _of_row(row: PermitItem) -> dict[str, Any]:
    return {
        "item_id": row.item_id,
        "part": row.part,
        "item_zh": row.item_zh,
        "item_en": row.item,
        "status": row.status,
        "mode": row.reform_mode,
        "mode_confidence": row.mode_confidence,
        "offers_commitment": row.offers_commitment,
        "department": row.department_code,
        "department_zh": row.department_zh,
        "department_en": row.department,
        "level": row.level,
        "days": row.statutory_days,
        "day_type": row.day_type or None,
        "days_basis": row.days_basis,
        "valid_from": row.valid_from.isoformat() if row.valid_from else None,
        "valid_to": row.valid_to.isoformat() if row.valid_to else None,
        "dates_confidence": row.dates_confidence,
        "basis": row.basis,
        "source": row.source,
        "confidence": row.confidence,
        "note": row.note or None,
    }


@dataclass(frozen=True, slots=True)
class Replayed:
    """A record, judged again from its own facts for its own day by the law that is loaded now."""

    of: str
    id: str
    judged_for: str
    recorded_digest: str
    agrees: bool
    same_policy: bool


def replay(of: str, id: str, record: Mapping[str, Any], catalogue: Catalogue) -> Replayed:
    """Every requirement must come out as it is recorded; `same_policy` says whether the same law is loaded."""
    kept = record["facts"]
    facts = Facts(tuple(kept["activities"]), kept["answers"], kept["capital"])
    anew = recorded(facts, date.fromisoformat(record["judged_for"]), catalogue, record["item_id"])
    return Replayed(
        of=of,
        id=id,
        judged_for=record["judged_for"],
        recorded_digest=record["policy_digest"],
        agrees=anew["requirements"] == record["requirements"],
        same_policy=record["policy_digest"] == catalogue.digest,
    )
