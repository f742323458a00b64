"""What risk reads of others' events: only the fields its facts need."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from libs.common.envelope import Event


class EnterpriseRegistered(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_registered.v1"

    registered_on: date
    industry: str
    registered_capital: Decimal
    capital_currency: str
    foreign_share: Decimal


class EnterpriseChanged(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_changed.v1"

    changed_on: date
    changed: tuple[str, ...]
    registered_capital: Decimal | None = None
    capital_currency: str | None = None
    industry: str | None = None


CONSUMED = (EnterpriseRegistered, EnterpriseChanged)
