"""What an officer may ask an applicant to correct: fields of the form, by their paths."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from services.registration.domain.application import Fault, FormReturned
from services.registration.domain.decision import Facts
from services.registration.domain.policy import Policy

FIELDS = (
    "enterprise_name", "enterprise_name.division", "enterprise_name.trade_name", "enterprise_name.industry",
    "enterprise_name.form", "enterprise_type", "registered_capital", "capital_currency", "activities", "area",
    "investors", "legal_representative", "legal_representative.name", "legal_representative.nationality",
    "legal_representative.signer", "term", "term.starts", "term.ends", "treaty_claim", "permit_facts", "address",
    "actual_controller", "beneficial_owners", "service_agent", "negative_list_commitment",
)  # fmt: skip
INVESTOR_FIELDS = (
    "name", "kind", "country", "share", "is_fie", "settled_abroad", "affiliate_group", "contribution", "signer",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Correction:
    """One field to correct, and what the officer says about it."""

    field: str
    words: str


def field_paths(facts: Facts, policy: Policy) -> frozenset[str]:
    """The paths of every field of a form with these investors and activities."""
    investors = range(len(facts.structure.investors))
    return frozenset(
        [
            *FIELDS,
            *(f"activities.{position}" for position in range(len(facts.activities))),
            *(f"investors.{position}" for position in investors),
            *(f"investors.{position}.{name}" for position in investors for name in INVESTOR_FIELDS),
            *(f"permit_facts.{code}" for code in policy.permit_questions),
        ]
    )


def checked_corrections(
    corrections: Sequence[Correction], facts: Facts, policy: Policy
) -> tuple[Correction, ...]:  # fmt: skip
    """The corrections themselves, or FormReturned with every fault."""
    if found := tuple(_faults(corrections, field_paths(facts, policy))):
        raise FormReturned(found)
    return tuple(corrections)


def _faults(corrections: Iterable[Correction], paths: frozenset[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for position, correction in enumerate(corrections):
        if correction.field not in paths:
            yield Fault(f"fields.{position}.field", "correction_field_unknown")
        elif correction.field in seen:
            yield Fault(f"fields.{position}.field", "correction_field_repeated")
        seen.add(correction.field)
