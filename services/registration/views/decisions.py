"""A decision as it was kept when it was made, in the language of the caller."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from services.registration import domain
from services.registration.domain.policy import Confidence, Coverage, Measure, Scope
from services.registration.messages import Language, text

ACCEPTED_EXAMPLE: dict[str, Any] = {
    "outcome": "accepted",
    "judged_for": "2026-01-05",
    "policy_digest": "885d4feb4eb04af0b4ce64d4609e11aaea9e32b310dc74dc3fa0893f140aca83",
    "findings": [],
    "explanation": [],
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
            "row": "negative_list.csv 2024/national/4/1",
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
    "explanation": [
        "Activity 0422: item 4 of the 2024 national list, “Fishing in inland waters” (negative_list.csv "
        "2024/national/4/1). The foreign side holds 60%, the Chinese side 40%. Foreign investment in this field is "
        "prohibited. By this row: refused. Source: 2021 text plus the two deletions announced for 2024."
    ],
}


class FindingView(BaseModel):
    """One ground of a decision: the row of the negative list (none for a general rule), its verdict, and why. `row`:
    where it stands in the policy files, as edition, scope, item and part."""

    outcome: domain.Outcome
    verdict: Literal["met", "undecidable", "unmet"]
    activity: str | None
    edition: str | None
    scope: Scope | None
    instrument: str | None
    item_no: int | None
    item_key: str | None
    part: int | None
    row: str | None
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
    """A decision with its grounds, the day it was judged for, and the digest of the law it was judged by.
    `explanation`: a sentence for each ground, with the row of the list, what was held, and the source."""

    model_config = ConfigDict(json_schema_extra={"examples": [REFUSED_EXAMPLE]})

    outcome: domain.Outcome
    judged_for: date
    policy_digest: str
    findings: list[FindingView]
    explanation: list[str]

    @classmethod
    def recorded(cls, record: Mapping[str, Any], language: Language) -> Self:
        """A decision as it was kept when it was made."""
        findings = [
            FindingView(
                **{name: value for name, value in finding.items() if not name.startswith("summary_")},
                summary=finding[f"summary_{language}"],
                row=_row(finding),
                sentences=[text(reason, language) for reason in finding["reasons"]],
            )
            for finding in record["findings"]
        ]
        return cls(
            outcome=record["outcome"],
            judged_for=date.fromisoformat(record["judged_for"]),
            policy_digest=record["policy_digest"],
            findings=findings,
            explanation=_explained(findings, record, language),
        )


def _row(finding: Mapping[str, Any]) -> str | None:
    if finding["item_no"] is None:
        return None
    return f"negative_list.csv {finding['edition']}/{finding['scope']}/{finding['item_no']}/{finding['part']}"


def _explained(findings: Sequence[FindingView], record: Mapping[str, Any], language: Language) -> list[str]:
    """Why the answer is what it is, ground by ground, in the words of the law and with the row that says so."""
    held = domain.recalled(record["facts"]).structure.holding
    gap = " " if language == "en" else ""
    said = []
    for finding in findings:
        words = {"reasons": gap.join(finding.sentences), "outcome": text(f"outcome_{finding.outcome}", language)}
        if finding.row is None:
            said.append(text("explained_rule", language, **words))
            continue
        figures = {"foreign": f"{held.foreign.normalize():f}", "chinese": f"{held.chinese.normalize():f}"}
        cited = {
            name: getattr(finding, name) for name in ("activity", "edition", "item_no", "summary", "row", "source")
        }
        scope = text(f"scope_{finding.scope}", language)
        said.append(text("explained_row", language, **words, **figures, **cited, scope=scope))
    return said


class RestrictedView(BaseModel):
    """The restrictions that credit has announced, with the codes of their grounds; shown to staff alone."""

    restrictions: list[str]
    grounds: list[str]
    changed_on: date
