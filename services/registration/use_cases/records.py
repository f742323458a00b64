"""A decision as it is kept: enough to judge it again and to see that the answer is the same."""

import dataclasses
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.registration import domain


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """What became of a form or a change, and why: `decision` is the record that is kept of it."""

    id: UUID
    status: str
    uscc: str | None
    decision: dict[str, Any]
    version: int = 1
    round: int = 1
    name_grounds: Sequence[dict[str, Any]] = ()


def recorded(decision: domain.Decision) -> dict[str, Any]:
    """The record of a decision, as JSON."""
    return {
        "outcome": decision.outcome,
        "judged_for": decision.judged_for.isoformat(),
        "policy_digest": decision.policy_digest,
        "facts": domain.recorded(decision.facts),
        "findings": [_finding(finding) for finding in decision.findings],
    }


def _finding(finding: domain.Finding) -> dict[str, Any]:
    """A ground with the row of the law it rests on, as that row read on the day."""
    entry, edition = finding.entry, finding.edition
    return {
        "outcome": finding.outcome,
        "verdict": finding.verdict,
        "activity": finding.activity,
        "edition": edition.edition if edition else None,
        "scope": edition.scope if edition else None,
        "instrument": edition.instrument if edition else None,
        "item_no": entry.item_no if entry else None,
        "item_key": entry.item_key if entry else None,
        "part": entry.part if entry else None,
        "summary_zh": entry.text_zh if entry else None,
        "summary_en": entry.text_summary if entry else None,
        "measures": list(entry.measure) if entry else [],
        "cap": (entry.cap or None) if entry else None,
        "coverage": entry.coverage if entry else None,
        "confidence": entry.confidence if entry else None,
        "source": entry.source if entry else None,
        "note": (entry.note or None) if entry else None,
        "relief": list(finding.relief),
        "reasons": list(finding.reasons),
    }
