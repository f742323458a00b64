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

from services.registration.domain.filed import Filed
from services.registration.domain.policy import DISTRICT, Policy
from services.registration.domain.signing import Signer
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
    "contribution_missing",
    "contributions_not_capital",
    "correction_before_registration",
    "correction_of_what_is_to_come",
    "correction_period_empty",
    "country_unknown",
    "currency_unknown",
    "digest_of_another_form",
    "document_not_the_signed_form",
    "document_changed_on_its_way",
    "document_empty",
    "document_of_another_type",
    "documents_too_many",
    "draft_content_too_deep",
    "draft_content_too_large",
    "draft_text_unreadable",
    "draft_unknown",
    "fie_not_chinese_enterprise",
    "foreign_employees_above_all",
    "investor_missing",
    "investor_unknown",
    "investors_missing",
    "matter_repeated",
    "name_china_not_open",
    "name_china_of_a_foreign_trade_name",
    "name_discrimination",
    "name_division_elsewhere",
    "name_foreign_state",
    "name_form_does_not_fit",
    "name_is_a_place",
    "name_is_an_industry",
    "name_misleading",
    "name_not_chinese",
    "name_obscene_violent",
    "name_otherwise_forbidden",
    "name_party_state_body",
    "name_public_morals",
    "name_public_order",
    "name_sector_qualifier",
    "name_state_approval",
    "name_state_dignity",
    "name_taken",
    "name_unchanged",
    "permit_fact_unknown",
    "permit_facts_contradict",
    "permit_facts_incomplete",
    "proof_missing",
    "report_before_registration",
    "report_day_to_come",
    "report_year_not_over",
    "settled_abroad_not_chinese_citizen",
    "share_not_positive",
    "shares_not_100",
    "signer_unknown",
    "term_ends_before_start",
    "trade_name_too_short",
    "treaty_claim_without_foreign_investor",
    "uscc_repeated",
    "uscc_on_register",
    "uscc_is_none",
    "investors_unreadable",
    "enterprise_type_unknown",
    "date_unreadable",
    "date_in_future",
    "capital_unreadable",
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
    role: Literal["investor", "legal_representative", "actual_controller", "beneficial_owner", "service_agent"]
    kind: InvestorKind
    name: str
    country: str


@dataclass(frozen=True, slots=True)
class Application:
    """What the form states. `investor_parties[i]` is the party behind `investors[i]`; the main activity comes first.

    `permit_facts`: answers to the questions that permits depend on; what was not answered is not in it. `known_as`:
    the opaque id of each party, and `address_id` that of the address within the area, by which others may tell that it
    is the same one (pseudonyms.py); empty where no key is set.
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
    address: str | None = None
    known_as: Mapping[UUID, UUID] = dataclasses.field(default_factory=dict)
    address_id: UUID | None = None
    filed: Filed = dataclasses.field(default_factory=Filed)

    @property
    def structure(self) -> Structure:
        return Structure(self.enterprise_type, self.investors, self.legal_representative_nationality, self.treaty_claim)


@dataclass(frozen=True, slots=True)
class SubmitApplication:
    """The command behind the form: what is judged, and apart from it the people and bodies it names and who signs."""

    application: Application
    parties: tuple[Party, ...]
    signers: tuple[Signer, ...] = ()


@dataclass(frozen=True, slots=True)
class EnterpriseChange:
    """A change of registered items; None leaves an item as it is. Capital and currency change together; `investors`,
    with the parties behind them, are all there are then. `adapts`: an organisation of the former laws on foreign
    investment becomes one of the Company Law or the Partnership Law."""

    area: str | None = None
    registered_capital: Decimal | None = None
    capital_currency: str | None = None
    activities: tuple[str, ...] | None = None
    legal_representative_nationality: str | None = None
    investors: tuple[Investor, ...] | None = None
    parties: tuple[Party, ...] = ()
    adapts: bool = False
    name: EnterpriseName | None = None


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
    yield from activity_faults(application.activities, policy)
    yield from _area_faults(application.area, policy)
    yield from investor_faults(application.investors, policy)
    if application.legal_representative_nationality not in policy.countries:
        yield Fault("legal_representative.nationality", "country_unknown")
    if (term := application.term) and term.ends is not None and term.ends <= term.starts:
        yield Fault("term.ends", "term_ends_before_start", {"starts": term.starts.isoformat()})
    if application.treaty_claim is not None and not any(investor.is_foreign for investor in application.investors):
        yield Fault("treaty_claim", "treaty_claim_without_foreign_investor")
    yield from _permit_fact_faults(application.permit_facts, policy)
    yield from _filed_faults(application, policy)


def checked_change(change: EnterpriseChange, policy: Policy) -> EnterpriseChange:
    """The change itself, or FormReturned with every fault."""
    if found := tuple(change_faults(change, policy)):
        raise FormReturned(found)
    return change


def change_faults(change: EnterpriseChange, policy: Policy) -> Iterator[Fault]:
    """Everything that sends a change form back, in the order of the form."""
    if change == EnterpriseChange():
        yield Fault("", "change_empty")
    if change.name is not None and len(change.name.trade_name) < 2:
        yield Fault("enterprise_name.trade_name", "trade_name_too_short", {"minimum": "2"})
    if change.area is not None:
        yield from _area_faults(change.area, policy)
    if (change.registered_capital is None) != (change.capital_currency is None):
        missing = "registered_capital" if change.registered_capital is None else "capital_currency"
        yield Fault(missing, "change_capital_incomplete")
    elif change.registered_capital is not None and change.capital_currency is not None:
        yield from _capital_faults(change.registered_capital, change.capital_currency, policy)
    if change.activities is not None:
        yield from activity_faults(change.activities, policy)
    if change.investors is not None:
        yield from investor_faults(change.investors, policy)
    nationality = change.legal_representative_nationality
    if nationality is not None and nationality not in policy.countries:
        yield Fault("legal_representative_nationality", "country_unknown")


def _filed_faults(application: Application, policy: Policy) -> Iterator[Fault]:
    """Contributions are stated of all investors or of none, and sum to the capital."""
    filed = application.filed
    if any(one is not None for one in filed.contributions):
        missing = [n for n, one in enumerate(filed.contributions) if one is None]
        yield from (Fault(f"investors.{position}.contribution", "contribution_missing") for position in missing)
        total = sum((one.subscribed for one in filed.contributions if one is not None), Decimal(0))
        if not missing and total != application.registered_capital:
            figures = {"total": f"{total:f}", "required": f"{application.registered_capital:f}"}
            yield Fault("investors", "contributions_not_capital", figures)
    paths = {party: f"beneficial_owners.{n}.nationality" for n, party in enumerate(filed.beneficial_owners)}
    if filed.actual_controller is not None:
        paths[filed.actual_controller] = "actual_controller.country"
    for party, path in paths.items():
        if filed.countries[party] not in policy.countries:
            yield Fault(path, "country_unknown")


def _capital_faults(capital: Decimal, currency: str, policy: Policy) -> Iterator[Fault]:
    if capital <= 0:
        yield Fault("registered_capital", "capital_not_positive")
    if currency not in policy.currencies:
        yield Fault("capital_currency", "currency_unknown")


def activity_faults(activities: Sequence[str], policy: Policy) -> Iterator[Fault]:
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


def investor_faults(investors: Sequence[Investor], policy: Policy) -> Iterator[Fault]:
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
    asked = policy.permit_questions
    for code in sorted(answers):
        path = f"permit_facts.{code}"
        if code not in asked:
            yield Fault(path, "permit_fact_unknown")
            continue
        condition = policy.permit_conditions[code]
        others = [other for other in condition.excludes if other in answers]
        if answers[code] and any(answers[other] for other in others):
            yield Fault(path, "permit_facts_contradict", {"other": ", ".join(others)})
        elif condition.exhaustive and others and not answers[code] and not any(answers[other] for other in others):
            yield Fault(path, "permit_facts_incomplete", {"other": ", ".join(others)})
