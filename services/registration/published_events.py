"""What registration says. Codes, ids, dates and amounts: no names, no personal data."""

from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal, Self
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from libs.common.envelope import Event
from services.registration import domain
from services.registration.domain.structure import Capital

ChangedItem = Literal["area", "registered_capital", "activities", "legal_representative"]


Role = Literal["investor", "legal_representative", "actual_controller"]
CONTROLS = Decimal(50)


class PartyRole(msgspec.Struct, frozen=True):
    """Somebody behind an enterprise, under the opaque id that is the same in every enterprise of theirs."""

    party_id: UUID
    role: Role


class EnterpriseRegistered(Event, frozen=True, kw_only=True):
    """An enterprise is registered. `industry` is the class of its main activity, `foreign_share` a percent.

    `permit_facts` and `permit_facts_denied`: what the applicant answered to the questions that permits depend on.
    `filed_by`: the opaque id of the account that may act for the enterprise; whose it is, only the issuer knows.
    `parties`: who invests and represents; who holds more than half counts as the actual controller.
    `address_id`: the address, where one was given. Both under keyed ids: no name, no hash that could be tried out.
    """

    type: ClassVar[str] = "registration.enterprise_registered.v1"
    subject_kind: ClassVar[str] = "uscc"

    application_id: UUID
    registered_on: date
    enterprise_type: str
    industry: str
    activities: tuple[str, ...]
    area: str
    registered_capital: Decimal
    capital_currency: str
    foreign_share: Decimal
    capital: Capital | UnsetType = UNSET
    permit_facts: tuple[str, ...] | UnsetType = UNSET
    permit_facts_denied: tuple[str, ...] | UnsetType = UNSET
    filed_by: str | UnsetType = UNSET
    parties: tuple[PartyRole, ...] | UnsetType = UNSET
    address_id: UUID | UnsetType = UNSET

    @classmethod
    def of(cls, application: domain.Application, id: UUID, on: date, filed_by: str) -> Self:
        answers = application.permit_facts
        return cls(
            application_id=id,
            registered_on=on,
            enterprise_type=application.enterprise_type,
            industry=application.activities[0],
            activities=application.activities,
            area=application.area,
            registered_capital=application.registered_capital,
            capital_currency=application.capital_currency,
            foreign_share=application.structure.holding.foreign,
            capital=application.structure.capital,
            permit_facts=tuple(sorted(code for code, holds in answers.items() if holds)),
            permit_facts_denied=tuple(sorted(code for code, holds in answers.items() if not holds)),
            filed_by=filed_by,
            parties=_parties(application) or UNSET,
            address_id=application.address_id or UNSET,
        )


class EnterpriseTakenOver(Event, frozen=True, kw_only=True):
    """An enterprise of an older register is on this one from now on: it was registered long ago, so nothing is due that
    follows on a registration. Who stands behind it is not known."""

    type: ClassVar[str] = "registration.enterprise_taken_over.v1"
    subject_kind: ClassVar[str] = "uscc"

    taken_over_on: date
    registered_on: date
    enterprise_type: str
    industry: str
    activities: tuple[str, ...]
    area: str
    registered_capital: Decimal
    capital_currency: str
    foreign_share: Decimal
    capital: Capital


def _parties(application: domain.Application) -> tuple[PartyRole, ...]:
    known = application.known_as
    roles: list[tuple[UUID, Role]] = [(application.legal_representative, "legal_representative")]
    for party, investor in zip(application.investor_parties, application.investors, strict=True):
        roles.append((party, "investor"))
        if investor.share > CONTROLS:
            roles.append((party, "actual_controller"))
    named = {PartyRole(known[party], role) for party, role in roles if party in known}
    return tuple(sorted(named, key=lambda one: (one.party_id, one.role)))


class EnterpriseChanged(Event, frozen=True, kw_only=True):
    """Registered items have changed: `changed` names them, and only they carry a value. Where the investors are
    others, who they are stays here; whose `capital` it is now and the `foreign_share` of it are told."""

    type: ClassVar[str] = "registration.enterprise_changed.v1"
    subject_kind: ClassVar[str] = "uscc"

    change_id: UUID
    changed_on: date
    changed: tuple[ChangedItem, ...]
    area: str | UnsetType = UNSET
    registered_capital: Decimal | UnsetType = UNSET
    capital_currency: str | UnsetType = UNSET
    activities: tuple[str, ...] | UnsetType = UNSET
    industry: str | UnsetType = UNSET
    foreign_share: Decimal | UnsetType = UNSET
    capital: Capital | UnsetType = UNSET

    @classmethod
    def of(cls, change: domain.EnterpriseChange, id: UUID, on: date, structure: domain.Structure) -> Self:
        """`structure`: as it is after the change."""
        changed: list[ChangedItem] = []
        if change.area is not None:
            changed.append("area")
        if change.registered_capital is not None:
            changed.append("registered_capital")
        if change.activities is not None:
            changed.append("activities")
        if change.legal_representative_nationality is not None:
            changed.append("legal_representative")
        return cls(
            change_id=id,
            changed_on=on,
            changed=tuple(changed),
            area=change.area or UNSET,
            registered_capital=UNSET if change.registered_capital is None else change.registered_capital,
            capital_currency=change.capital_currency or UNSET,
            activities=change.activities or UNSET,
            industry=change.activities[0] if change.activities else UNSET,
            foreign_share=UNSET if change.investors is None else structure.holding.foreign,
            capital=UNSET if change.investors is None else structure.capital,
        )


class InformationReportFiled(Event, frozen=True, kw_only=True):
    """An information report was filed by itself: the annual one of a year, or a change that is not registered. Those
    that come with a registration or its change are told by that."""

    type: ClassVar[str] = "registration.information_report_filed.v1"
    subject_kind: ClassVar[str] = "uscc"

    report_id: UUID
    kind: Literal["initial", "change", "annual"]
    year: int | None
    filed_on: date
    late: bool


class InformationReportOverdue(Event, frozen=True, kw_only=True):
    """A report is missing. `missed`: the window, and it is ordered until `order_until`; or that order too."""

    type: ClassVar[str] = "registration.information_report_overdue.v1"
    subject_kind: ClassVar[str] = "uscc"

    order_id: UUID
    kind: Literal["initial", "change", "annual"]
    year: int | None
    missed: Literal["window", "order"]
    due_on: date
    overdue_on: date
    order_until: date | None


class FalseRegistrationNoticed(Event, frozen=True, kw_only=True):
    """It is publicly noticed that a registration was obtained by false papers; objections until `notice_until`."""

    type: ClassVar[str] = "registration.false_registration_noticed.v1"
    subject_kind: ClassVar[str] = "uscc"

    case_id: UUID
    noticed_on: date
    notice_until: date


class RegistrationWithdrawn(Event, frozen=True, kw_only=True):
    """The registration was withdrawn: the enterprise is none any more."""

    type: ClassVar[str] = "registration.registration_withdrawn.v1"
    subject_kind: ClassVar[str] = "uscc"

    case_id: UUID
    withdrawn_on: date


class MattersHandedOver(Event, frozen=True, kw_only=True):
    """Matters that follow on the registration are with those who handle them."""

    type: ClassVar[str] = "registration.matters_handed_over.v1"
    subject_kind: ClassVar[str] = "uscc"

    matters: tuple[Literal["seal", "tax", "social_insurance", "provident_fund", "bank_account"], ...]
    handed_on: date


class MatterSettled(Event, frozen=True, kw_only=True):
    """Such a matter is done, or has come back."""

    type: ClassVar[str] = "registration.matter_settled.v1"
    subject_kind: ClassVar[str] = "uscc"

    matter: Literal["seal", "tax", "social_insurance", "provident_fund", "bank_account"]
    outcome: Literal["done", "returned"]
    settled_on: date


class DeregistrationRequested(Event, frozen=True, kw_only=True):
    """The enterprise asks to leave the register; simplified: under public notice until `notice_until`."""

    type: ClassVar[str] = "registration.deregistration_requested.v1"
    subject_kind: ClassVar[str] = "uscc"

    procedure: Literal["general", "simplified"]
    requested_on: date
    notice_until: date | None


class DeregistrationRefused(Event, frozen=True, kw_only=True):
    """The enterprise stays on the register: an officer refused, or somebody objected while the notice ran. Who and
    why stays with registration."""

    type: ClassVar[str] = "registration.deregistration_refused.v1"
    subject_kind: ClassVar[str] = "uscc"

    procedure: Literal["general", "simplified"]
    refused_by: Literal["officer", "objection"]
    refused_on: date


class EnterpriseDeregistered(Event, frozen=True, kw_only=True):
    """The enterprise has left the register."""

    type: ClassVar[str] = "registration.enterprise_deregistered.v1"
    subject_kind: ClassVar[str] = "uscc"

    procedure: Literal["general", "simplified"]
    deregistered_on: date


class ScopeItemSuspended(Event, frozen=True, kw_only=True):
    """Licensed activities may not be carried on: the permit that they need was revoked."""

    type: ClassVar[str] = "registration.scope_item_suspended.v1"
    subject_kind: ClassVar[str] = "uscc"

    activities: tuple[str, ...]
    permit_item: str
    permit_id: UUID
    suspended_on: date


class SignaturesRequested(Event, frozen=True, kw_only=True):
    """A form waits for those who have to sign it; it has come in when they have."""

    type: ClassVar[str] = "registration.signatures_requested.v1"
    subject_kind: ClassVar[str] = "application"

    filed_by: str
    round: int
    requested_on: date
    due_on: date


class ApplicationSubmitted(Event, frozen=True, kw_only=True):
    """A form has come in with its signatures, at first or after corrections. `uscc` is there once the enterprise is
    registered."""

    type: ClassVar[str] = "registration.application_submitted.v1"
    subject_kind: ClassVar[str] = "application"

    filed_by: str
    submitted_on: date
    round: int
    status: Literal["registered", "in_review", "refused"]
    uscc: str | None


class CorrectionsRequested(Event, frozen=True, kw_only=True):
    """An officer has sent the form back: `fields` are paths in the form; the officer's words stay with registration."""

    type: ClassVar[str] = "registration.corrections_requested.v1"
    subject_kind: ClassVar[str] = "application"

    fields: tuple[str, ...]
    requested_on: date
    due_on: date


class ApplicationDecided(Event, frozen=True, kw_only=True):
    """The application has its end: by the screening at once, by an officer, by the applicant, or by time."""

    type: ClassVar[str] = "registration.application_decided.v1"
    subject_kind: ClassVar[str] = "application"

    outcome: Literal["registered", "refused", "withdrawn", "lapsed"]
    decided_by: Literal["screening", "officer", "applicant", "time"]
    decided_on: date
    uscc: str | None


PUBLISHED = (
    EnterpriseRegistered,
    EnterpriseTakenOver,
    EnterpriseChanged,
    InformationReportFiled,
    InformationReportOverdue,
    FalseRegistrationNoticed,
    RegistrationWithdrawn,
    MattersHandedOver,
    MatterSettled,
    DeregistrationRequested,
    DeregistrationRefused,
    EnterpriseDeregistered,
    ScopeItemSuspended,
    SignaturesRequested,
    ApplicationSubmitted,
    CorrectionsRequested,
    ApplicationDecided,
)
