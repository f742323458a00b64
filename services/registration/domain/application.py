"""The single form of establishment: what it states, and everything that sends it back to the applicant.

Sources: Market Entity Registration Regulations Art 8, 9, 14; Name Regulations (Order 734) Art 6; Registration Rules
(SAMR Order 52) Art 13; Implementing Regulations of the Foreign Investment Law Art 37.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from services.registration.domain.policy import DISTRICT, Policy
from services.registration.domain.structure import EnterpriseType, Investor, InvestorKind, Structure, TreatyClaim

FaultCode = Literal[
    "activities_missing",
    "activity_unknown",
    "activity_not_a_class",
    "activity_repeated",
    "area_outside_district",
    "area_unknown",
    "capital_not_positive",
    "change_empty",
    "change_capital_incomplete",
    "correction_field_repeated",
    "correction_field_unknown",
    "country_unknown",
    "currency_unknown",
    "draft_content_too_deep",
    "draft_content_too_large",
    "draft_text_unreadable",
    "draft_unknown",
    "fie_not_chinese_enterprise",
    "investors_missing",
    "permit_fact_unknown",
    "permit_facts_contradict",
    "permit_facts_incomplete",
    "settled_abroad_not_chinese_citizen",
    "share_not_positive",
    "shares_not_100",
    "term_ends_before_start",
    "trade_name_too_short",
    "treaty_claim_without_foreign_investor",
]

_CLASS_LEVEL = 4
_WHOLE = Decimal(100)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend: the field's path (`investors.0.share`), a stable code, and figures for the sentence.

    Params are limits and sums worked out here, never what the applicant typed.
    """

    field: str
    code: FaultCode
    params: Mapping[str, str] = dataclasses.field(default_factory=dict)


class FormReturned(Exception):
    """The form goes back to the applicant, with every fault at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(", ".join(f"{fault.field}: {fault.code}" for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class EnterpriseName:
    """The four parts of a name: 上海 + 青禾 + 餐饮 + 有限公司."""

    division: str
    trade_name: str
    industry: str
    form: str

    @property
    def full(self) -> str:
        return self.division + self.trade_name + self.industry + self.form


@dataclass(frozen=True, slots=True)
class Term:
    """The days between which the enterprise operates; open where there is no end."""

    starts: date
    ends: date | None


@dataclass(frozen=True, slots=True)
class Party:
    """A person or body behind an application. Personal data: it stays apart from everything that decides, under a
    random id whose mapping can be deleted."""

    party_id: UUID
    role: Literal["investor", "legal_representative"]
    kind: InvestorKind
    name: str
    country: str


@dataclass(frozen=True, slots=True)
class Application:
    """What the form states. `investor_parties[i]` is the party behind `investors[i]`; the main activity comes first.

    `permit_facts`: answers to the questions that permits depend on; what was not answered is not in it.
    """

    name: EnterpriseName
    enterprise_type: EnterpriseType
    registered_capital: Decimal
    capital_currency: str
    activities: tuple[str, ...]
    area: str
    investors: tuple[Investor, ...]
    investor_parties: tuple[UUID, ...]
    legal_representative: UUID
    legal_representative_nationality: str
    term: Term | None = None
    treaty_claim: TreatyClaim | None = None
    permit_facts: Mapping[str, bool] = dataclasses.field(default_factory=dict)

    @property
    def structure(self) -> Structure:
        return Structure(self.enterprise_type, self.investors, self.legal_representative_nationality, self.treaty_claim)


@dataclass(frozen=True, slots=True)
class SubmitApplication:
    """The command behind the form: what is judged, and apart from it the people and bodies it names."""

    application: Application
    parties: tuple[Party, ...]


@dataclass(frozen=True, slots=True)
class EnterpriseChange:
    """A change of registered items; None leaves an item as it is. Capital and currency change together."""

    area: str | None = None
    registered_capital: Decimal | None = None
    capital_currency: str | None = None
    activities: tuple[str, ...] | None = None
    legal_representative_nationality: str | None = None


def checked(application: Application, policy: Policy) -> Application:
    """The application itself, or FormReturned with every fault."""
    if found := tuple(faults(application, policy)):
        raise FormReturned(found)
    return application


def faults(application: Application, policy: Policy) -> Iterator[Fault]:
    """Everything that sends the form back, in the order of the form."""
    if len(application.name.trade_name) < 2:
        yield Fault("enterprise_name.trade_name", "trade_name_too_short", {"minimum": "2"})
    yield from _capital_faults(application.registered_capital, application.capital_currency, policy)
    yield from _activity_faults(application.activities, policy)
    yield from _area_faults(application.area, policy)
    yield from _investor_faults(application.investors, policy)
    if application.legal_representative_nationality not in policy.countries:
        yield Fault("legal_representative.nationality", "country_unknown")
    if (term := application.term) and term.ends is not None and term.ends <= term.starts:
        yield Fault("term.ends", "term_ends_before_start", {"starts": term.starts.isoformat()})
    if application.treaty_claim is not None and not any(investor.is_foreign for investor in application.investors):
        yield Fault("treaty_claim", "treaty_claim_without_foreign_investor")
    yield from _permit_fact_faults(application.permit_facts, policy)


def checked_change(change: EnterpriseChange, policy: Policy) -> EnterpriseChange:
    """The change itself, or FormReturned with every fault."""
    if found := tuple(change_faults(change, policy)):
        raise FormReturned(found)
    return change


def change_faults(change: EnterpriseChange, policy: Policy) -> Iterator[Fault]:
    """Everything that sends a change form back, in the order of the form."""
    if change == EnterpriseChange():
        yield Fault("", "change_empty")
    if change.area is not None:
        yield from _area_faults(change.area, policy)
    if (change.registered_capital is None) != (change.capital_currency is None):
        missing = "registered_capital" if change.registered_capital is None else "capital_currency"
        yield Fault(missing, "change_capital_incomplete")
    elif change.registered_capital is not None and change.capital_currency is not None:
        yield from _capital_faults(change.registered_capital, change.capital_currency, policy)
    if change.activities is not None:
        yield from _activity_faults(change.activities, policy)
    nationality = change.legal_representative_nationality
    if nationality is not None and nationality not in policy.countries:
        yield Fault("legal_representative_nationality", "country_unknown")


def _capital_faults(capital: Decimal, currency: str, policy: Policy) -> Iterator[Fault]:
    if capital <= 0:
        yield Fault("registered_capital", "capital_not_positive")
    if currency not in policy.currencies:
        yield Fault("capital_currency", "currency_unknown")


def _activity_faults(activities: Sequence[str], policy: Policy) -> Iterator[Fault]:
    if not activities:
        yield Fault("activities", "activities_missing")
    seen: set[str] = set()
    for position, code in enumerate(activities):
        path = f"activities.{position}"
        industry = policy.industries.get(code)
        if industry is None:
            yield Fault(path, "activity_unknown")
        elif industry.level != _CLASS_LEVEL:
            yield Fault(path, "activity_not_a_class")
        elif code in seen:
            yield Fault(path, "activity_repeated")
        seen.add(code)


def _area_faults(code: str, policy: Policy) -> Iterator[Fault]:
    """A window registers enterprises of its own district, by street."""
    area = policy.areas.get(code)
    if area is not None and area.level == "street" and area.parent_code == DISTRICT:
        return
    elsewhere = area is not None or (len(code) == 9 and code.isdigit() and not code.startswith(DISTRICT))
    yield Fault("area", "area_outside_district" if elsewhere else "area_unknown", {"district": DISTRICT})


def _investor_faults(investors: Sequence[Investor], policy: Policy) -> Iterator[Fault]:
    if not investors:
        yield Fault("investors", "investors_missing")
        return
    for position, investor in enumerate(investors):
        path = f"investors.{position}"
        if investor.country not in policy.countries:
            yield Fault(f"{path}.country", "country_unknown")
        if investor.share <= 0:
            yield Fault(f"{path}.share", "share_not_positive")
        if investor.is_fie and (investor.country != "CN" or investor.kind == "natural"):
            yield Fault(f"{path}.is_fie", "fie_not_chinese_enterprise")
        if investor.settled_abroad and (investor.country != "CN" or investor.kind != "natural"):
            yield Fault(f"{path}.settled_abroad", "settled_abroad_not_chinese_citizen")
    total = sum((investor.share for investor in investors), Decimal(0))
    if total != _WHOLE:
        yield Fault("investors", "shares_not_100", {"total": f"{total:f}", "required": "100"})


def _permit_fact_faults(answers: Mapping[str, bool], policy: Policy) -> Iterator[Fault]:
    for code in sorted(answers):
        path = f"permit_facts.{code}"
        if code not in policy.permit_questions:
            yield Fault(path, "permit_fact_unknown")
            continue
        condition = policy.permit_conditions[code]
        others = [other for other in condition.excludes if other in answers]
        if answers[code] and any(answers[other] for other in others):
            yield Fault(path, "permit_facts_contradict", {"other": ", ".join(others)})
        elif condition.exhaustive and others and not answers[code] and not any(answers[other] for other in others):
            yield Fault(path, "permit_facts_incomplete", {"other": ", ".join(others)})
