"""The rows that registration owns. Names of people stand in `party` and `draft` alone and can be deleted there."""

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

NO_LIST, ONE = sa.text("'[]'"), sa.text("1")


class Draft(Row, table=True):
    """A form somebody has begun. `content` is JSON text of any shape; the row goes on its last day (`due`)."""

    id: UUID = Field(primary_key=True)
    owner: str
    content: str = Field(sa_type=sa.Text)
    saved_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    expires_on: date
    version: int = 1

    __table_args__ = (sa.Index("draft_by_owner", "owner", "saved_at", "id"),)


class Application(Row, table=True):
    """The single form as it was judged last. `form` and `decision` hold no names of people.

    `decision` is the screening of this `round`; `decided` how the application ended; `corrections` what an officer asks
    for now, until `correct_by`. `version` counts everything that has happened to it.
    """

    id: UUID = Field(primary_key=True)
    submitted_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    status: str
    enterprise_name: str
    form: dict[str, Any] = Field(sa_type=JSONB)
    decision: dict[str, Any] = Field(sa_type=JSONB)
    uscc: str | None = Field(default=None, unique=True)
    filed_by: str | None = None
    round: int = Field(default=1, sa_column_kwargs={"server_default": ONE})
    version: int = Field(default=1, sa_column_kwargs={"server_default": ONE})
    corrections: list[dict[str, Any]] = Field(
        default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": NO_LIST}
    )
    correct_by: date | None = None
    decided: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))

    __table_args__ = (
        sa.Index("application_by_time", "submitted_at", "id"),
        sa.Index("application_by_owner", "filed_by", "submitted_at", "id"),
    )


class EarlierRound(Row, table=True):
    """An application as it stood before it was corrected: the form, its decision, and what was asked."""

    __tablename__ = "earlier_round"

    application_id: UUID = Field(foreign_key="application.id", primary_key=True)
    round: int = Field(primary_key=True)
    submitted_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    form: dict[str, Any] = Field(sa_type=JSONB)
    decision: dict[str, Any] = Field(sa_type=JSONB)
    corrections: list[dict[str, Any]] = Field(sa_type=JSONB)


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
    filed_by: str | None = Field(default=None, index=True)
    capital: str | None = None
    deregistered_on: date | None = None


class EnterpriseChange(Row, table=True):
    """A change that was asked for, with its decision; only an accepted one has altered the enterprise."""

    __tablename__ = "enterprise_change"

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc", index=True)
    requested_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    outcome: str
    changed: dict[str, Any] = Field(sa_type=JSONB)
    decision: dict[str, Any] = Field(sa_type=JSONB)


class Deregistration(Row, table=True):
    """A request to leave the register: under public notice until `notice_until`, or before an officer."""

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc", index=True)
    procedure: str
    requested_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    notice_until: date | None = None
    version: int = 1
    decided: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))

    __table_args__ = (
        sa.Index("deregistration_open", "uscc", unique=True, postgresql_where=sa.text("decided IS NULL")),
    )


class Suspension(Row, table=True):
    """Activities that may not be carried on, since their permit was revoked. It may come before its enterprise does
    (after a restore), so it refers to none."""

    permit_id: UUID = Field(primary_key=True)
    uscc: str = Field(index=True)
    permit_item: str
    activities: list[str] = Field(sa_type=ARRAY(sa.Text))
    suspended_on: date


class Restriction(Row, table=True):
    """This service's copy of the restrictions that credit has announced for an enterprise, as they stand."""

    uscc: str = Field(primary_key=True)
    restrictions: list[str] = Field(sa_type=ARRAY(sa.Text))
    grounds: list[str] = Field(sa_type=ARRAY(sa.Text))
    changed_on: date
