"""What registration says. Codes, ids, dates and amounts: no names, no personal data."""

from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal, Self
from uuid import UUID

from msgspec import UNSET, UnsetType

from libs.common.envelope import Event
from services.registration import domain
from services.registration.domain.structure import Capital

ChangedItem = Literal["area", "registered_capital", "activities", "legal_representative"]


class EnterpriseRegistered(Event, frozen=True, kw_only=True):
    """An enterprise is registered. `industry` is the class of its main activity, `foreign_share` a percent.

    `permit_facts` and `permit_facts_denied`: what the applicant answered to the questions that permits depend on.
    `filed_by`: the opaque id of the account that may act for the enterprise; whose it is, only the issuer knows.
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
        )


class EnterpriseChanged(Event, frozen=True, kw_only=True):
    """Registered items have changed: `changed` names them, and only they carry a value."""

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

    @classmethod
    def of(cls, change: domain.EnterpriseChange, id: UUID, on: date) -> Self:
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
        )


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


class ApplicationSubmitted(Event, frozen=True, kw_only=True):
    """A form has come in, at first or after corrections. `uscc` is there once the enterprise is registered."""

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
    EnterpriseChanged,
    EnterpriseDeregistered,
    ScopeItemSuspended,
    ApplicationSubmitted,
    CorrectionsRequested,
    ApplicationDecided,
)
