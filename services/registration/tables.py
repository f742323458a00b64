"""The rows that registration owns. Names of people and bodies stand in `party` alone and can be deleted there."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class Row(SQLModel, registry=registry()):
    """The base of this service's tables, so that services in one process do not share a metadata."""


metadata = Row.metadata


class Application(Row, table=True):
    """The single form as it was judged. `form` and `decision` hold no names of people."""

    id: UUID = Field(primary_key=True)
    submitted_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    status: str
    enterprise_name: str
    form: dict[str, Any] = Field(sa_type=JSONB)
    decision: dict[str, Any] = Field(sa_type=JSONB)
    uscc: str | None = Field(default=None, unique=True)


class Party(Row, table=True):
    """A person or body that an application names."""

    party_id: UUID = Field(primary_key=True)
    application_id: UUID = Field(foreign_key="application.id", index=True)
    role: str
    kind: str
    name: str
    country: str


class Enterprise(Row, table=True):
    """A registered enterprise as it stands; `version` counts its changes."""

    uscc: str = Field(primary_key=True)
    application_id: UUID = Field(foreign_key="application.id", unique=True)
    registered_on: date
    name: str
    enterprise_type: str
    registered_capital: Decimal = Field(sa_type=sa.Numeric(17, 2))
    capital_currency: str
    activities: list[str] = Field(sa_type=ARRAY(sa.Text))
    area: str
    legal_representative_nationality: str
    version: int = 1


class EnterpriseChange(Row, table=True):
    """A change that was asked for, with its decision; only an accepted one has altered the enterprise."""

    __tablename__ = "enterprise_change"

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc", index=True)
    requested_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    outcome: str
    changed: dict[str, Any] = Field(sa_type=JSONB)
    decision: dict[str, Any] = Field(sa_type=JSONB)
