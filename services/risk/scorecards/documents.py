"""A scorecard as one JSON document: as people and the learning tool hand it in, as it is kept, shown and handed out.

The document holds what `Scorecard` does, a basis beside each row, and two parts that decide nothing: `features` (how an
indicator was made) and `provenance` (what a learnt scorecard was learnt from). docs/scorecards.md describes it.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.risk.domain import Band, Basis, RiskClass, Rule, Scorecard, Sector, Step

Document = Mapping[str, Any]

BESIDE = ("features", "provenance")
"""Parts of a document that decide nothing."""


def from_document(document: Document) -> Scorecard:
    """The scorecard that a document of the right shape holds. Each row's basis is named by its path ("rules.3.cap").

    Raises ScorecardError with everything that makes it unfit.
    """
    return Scorecard(
        name=document["name"],
        valid_from=date.fromisoformat(document["valid_from"]),
        rules=_rules(document, "rules"),
        bands=_bands(document, "bands"),
        sectors=tuple(_sector(sector, f"sectors.{i}") for i, sector in enumerate(document.get("sectors") or ())),
    )


def to_document(scorecard: Scorecard) -> dict[str, Any]:
    """The document of a scorecard: `from_document` gives the same scorecard back."""
    return {
        "name": scorecard.name,
        "valid_from": scorecard.valid_from.isoformat(),
        **_rules_document(scorecard.rules, scorecard.bands),
        "sectors": [
            {
                "name": sector.name,
                "industries": [list(bounds) for bounds in sector.industries],
                **_rules_document(sector.rules, sector.bands),
                **_basis_document(sector.basis),
            }
            for sector in scorecard.sectors
        ],
    }


def _sector(sector: Document, at: str) -> Sector:
    return Sector(
        name=sector["name"],
        industries=tuple((low, below) for low, below in sector["industries"]),
        rules=_rules(sector, f"{at}.rules"),
        bands=_bands(sector, f"{at}.bands"),
        basis=_basis(sector, at),
    )


def _rules(part: Document, at: str) -> tuple[Rule, ...]:
    return tuple(_rule(rule, f"{at}.{i}") for i, rule in enumerate(part["rules"]))


def _bands(part: Document, at: str) -> tuple[Band, ...]:
    return tuple(
        Band(RiskClass[band["risk_class"]], band["from_score"], _basis(band, f"{at}.{i}"))
        for i, band in enumerate(part["bands"])
    )


def _rule(rule: Document, at: str) -> Rule:
    steps = tuple(_step(step, f"{at}.steps.{i}") for i, step in enumerate(rule["steps"]))
    return Rule(rule["name"], rule["indicator"], rule["cap"], rule["required"], steps, _basis(rule, at))


def _step(step: Document, at: str) -> Step:
    at_least = step.get("at_least")
    return Step(
        value_from=step.get("value_from"),
        value_below=step.get("value_below"),
        within_months=step.get("within_months"),
        points=step["points"],
        at_least=None if at_least is None else RiskClass[at_least],
        basis=_basis(step, at),
    )


def _basis(row: Document, at: str) -> Basis:
    return Basis(at, row["source"], row["confidence"])


def _rules_document(rules: Sequence[Rule], bands: Sequence[Band]) -> dict[str, Any]:
    return {
        "rules": [
            {
                "name": rule.name,
                "indicator": rule.indicator,
                "cap": rule.cap,
                "required": rule.required,
                "steps": [_step_document(step) for step in rule.steps],
                **_basis_document(rule.basis),
            }
            for rule in rules
        ],
        "bands": [
            {"risk_class": band.risk_class.name, "from_score": band.from_score, **_basis_document(band.basis)}
            for band in bands
        ],
    }


def _step_document(step: Step) -> dict[str, Any]:
    return {
        "value_from": step.value_from,
        "value_below": step.value_below,
        "within_months": step.within_months,
        "points": step.points,
        "at_least": None if step.at_least is None else step.at_least.name,
        **_basis_document(step.basis),
    }


def _basis_document(basis: Basis) -> dict[str, Any]:
    return {"source": basis.source, "confidence": basis.confidence}
