"""The decision on an application: its answer, its reasons, and all that is needed to judge it again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from services.registration.domain.application import Application, Fault, FormReturned, activity_faults, investor_faults
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


def checked_facts(facts: Facts, policy: Policy) -> Facts:
    """The facts of a dry run themselves, or FormReturned with every fault. A place may lie outside the district."""
    if found := tuple(_fact_faults(facts, policy)):
        raise FormReturned(found)
    return facts


def _fact_faults(facts: Facts, policy: Policy) -> Iterator[Fault]:
    structure = facts.structure
    yield from activity_faults(facts.activities, policy)
    yield from investor_faults(structure.investors, policy)
    if structure.legal_representative_nationality not in policy.countries:
        yield Fault("legal_representative_nationality", "country_unknown")
    if structure.treaty_claim is not None and not structure.foreign_investors:
        yield Fault("treaty_claim", "treaty_claim_without_foreign_investor")


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
        "investors": [recorded_investor(investor) for investor in structure.investors],
    }


def recorded_investor(investor: Investor) -> dict[str, Any]:
    return {
        "kind": investor.kind,
        "country": investor.country,
        "share": f"{investor.share:f}",
        "is_fie": investor.is_fie,
        "settled_abroad": investor.settled_abroad,
        "affiliate_group": investor.affiliate_group,
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
