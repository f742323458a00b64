"""A decision as it was kept when it was made, in the language of the caller."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, Self

from pydantic import BaseModel

from services.registration import domain
from services.registration.domain.policy import Confidence, Coverage, Measure, Scope
from services.registration.messages import Language, text

ACCEPTED_EXAMPLE: dict[str, Any] = {
    "outcome": "accepted",
    "judged_for": "2026-01-05",
    "policy_digest": "885d4feb4eb04af0b4ce64d4609e11aaea9e32b310dc74dc3fa0893f140aca83",
    "findings": [],
}
REFUSED_EXAMPLE: dict[str, Any] = {
    **ACCEPTED_EXAMPLE,
    "outcome": "refused",
    "findings": [
        {
            "outcome": "refused",
            "verdict": "unmet",
            "activity": "0422",
            "edition": "2024",
            "scope": "national",
            "instrument": "NDRC/MOFCOM Order 23 (2024-09-06)",
            "item_no": 4,
            "item_key": "fishing",
            "part": 1,
            "summary": "Fishing in inland waters",
            "measures": ["prohibited"],
            "cap": None,
            "coverage": "full",
            "confidence": "verified",
            "source": "2021 text plus the two deletions announced for 2024",
            "note": None,
            "relief": [],
            "reasons": ["prohibited"],
            "sentences": ["Foreign investment in this field is prohibited."],
        }
    ],
}


class FindingView(BaseModel):
    """One ground of a decision: the row of the negative list (none for a general rule), its verdict, and why."""

    outcome: domain.Outcome
    verdict: Literal["met", "undecidable", "unmet"]
    activity: str | None
    edition: str | None
    scope: Scope | None
    instrument: str | None
    item_no: int | None
    item_key: str | None
    part: int | None
    summary: str | None
    measures: list[Measure]
    cap: str | None
    coverage: Coverage | None
    confidence: Confidence | None
    source: str | None
    note: str | None
    relief: list[str]
    reasons: list[str]
    sentences: list[str]


class DecisionView(BaseModel):
    """A decision with its grounds, the day it was judged for, and the digest of the law it was judged by."""

    outcome: domain.Outcome
    judged_for: date
    policy_digest: str
    findings: list[FindingView]

    @classmethod
    def recorded(cls, record: Mapping[str, Any], language: Language) -> Self:
        """A decision as it was kept when it was made."""
        findings = [
            FindingView(
                **{name: value for name, value in finding.items() if not name.startswith("summary_")},
                summary=finding[f"summary_{language}"],
                sentences=[text(reason, language) for reason in finding["reasons"]],
            )
            for finding in record["findings"]
        ]
        return cls(
            outcome=record["outcome"],
            judged_for=date.fromisoformat(record["judged_for"]),
            policy_digest=record["policy_digest"],
            findings=findings,
        )


class RestrictedView(BaseModel):
    """The restrictions that credit has announced, with the codes of their grounds; shown to staff alone."""

    restrictions: list[str]
    grounds: list[str]
    changed_on: date
