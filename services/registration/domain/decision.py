"""The decision on an application: its answer, its reasons, and all that is needed to judge it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from services.registration.domain.application import Application
from services.registration.domain.policy import Policy, Scope
from services.registration.domain.screening import Finding, Outcome, Screening, screen
from services.registration.domain.structure import Investor, Structure


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision rests on: no names, nothing personal."""

    scope: Scope
    place: str
    activities: tuple[str, ...]
    structure: Structure


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer with its findings, the digest of the law, the day it was judged for, and the facts used."""

    outcome: Outcome
    findings: tuple[Finding, ...]
    policy_digest: str
    judged_for: date
    facts: Facts


def decide(application: Application, policy: Policy, on: date, scope: Scope = "national") -> Decision:
    """Judge a checked application by the law of the day `on`. Jing'an lies outside the pilot free-trade zone, so the
    national list applies unless the caller knows better."""
    return judge(Facts(scope, application.area, application.activities, application.structure), policy, on)


def judge(facts: Facts, policy: Policy, on: date) -> Decision:
    """Judge recorded facts. With the same policy and day the answer is the same, whatever has happened since."""
    answer: Screening = screen(policy, on, facts.scope, facts.place, facts.activities, facts.structure)
    return Decision(answer.outcome, answer.findings, policy.digest, on, facts)


def recorded(facts: Facts) -> dict[str, Any]:
    """Facts as a JSON object, shares as text so that they stay exact."""
    structure = facts.structure
    return {
        "scope": facts.scope,
        "place": facts.place,
        "activities": list(facts.activities),
        "enterprise_type": structure.enterprise_type,
        "legal_representative_nationality": structure.legal_representative_nationality,
        "treaty_claim": structure.treaty_claim,
        "investors": [
            {
                "kind": investor.kind,
                "country": investor.country,
                "share": f"{investor.share:f}",
                "is_fie": investor.is_fie,
                "settled_abroad": investor.settled_abroad,
                "affiliate_group": investor.affiliate_group,
            }
            for investor in structure.investors
        ],
    }


def recalled(record: Mapping[str, Any]) -> Facts:
    """The facts that `recorded` wrote."""
    investors = tuple(Investor(**{**investor, "share": Decimal(investor["share"])}) for investor in record["investors"])
    structure = Structure(
        record["enterprise_type"],
        investors,
        record["legal_representative_nationality"],
        record["treaty_claim"],
    )
    return Facts(record["scope"], record["place"], tuple(record["activities"]), structure)
