"""The rows that licensing owns, and its copies of what registration and credit have said."""

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class Row(SQLModel, registry=registry()):
    """The base of this service's tables."""


metadata = Row.metadata


class Enterprise(Row, table=True):
    """A copy of what registration says: whose it is, what it does, what it has answered (`answers`: fact -> holds)."""

    uscc: str = Field(primary_key=True)
    filed_by: str | None = Field(default=None, index=True)
    registered_on: date
    activities: list[str] = Field(sa_type=ARRAY(sa.Text))
    answers: dict[str, bool] = Field(sa_type=JSONB)
    capital: str | None = None
    deregistered_on: date | None = None


class Restriction(Row, table=True):
    """A copy of the restrictions that credit announced last. It may come before its enterprise."""

    uscc: str = Field(primary_key=True)
    restrictions: list[str] = Field(sa_type=ARRAY(sa.Text))
    grounds: list[str] = Field(sa_type=ARRAY(sa.Text))
    changed_on: date


class Determination(Row, table=True):
    """Which permits and filings were found to be needed: facts, day, law and answer, to be judged again."""

    uscc: str = Field(primary_key=True, foreign_key="enterprise.uscc")
    number: int = Field(primary_key=True)
    cause: UUID = Field(unique=True)
    record: dict[str, Any] = Field(sa_type=JSONB)


class Notification(Row, table=True):
    """A double notification (双告知): the registration record for one item, sent because of one event (`cause`).

    `department` None: whose it is, is not clear; departments may claim it. Codes: dual_notification_codes.csv.
    """

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc", index=True)
    item_id: str
    cause: UUID
    event_type: int
    dispatch_status: int
    target_type: int
    catalogue_department: str
    department: str | None
    state: str
    sent_on: date
    claim_by: date
    claimed_on: date | None = None
    claimed_by: str | None = None
    overdue_on: date | None = None
    returns: list[dict[str, Any]] = Field(default=[], sa_type=JSONB)
    version: int = 1

    __table_args__ = (
        sa.UniqueConstraint("uscc", "item_id", "cause"),
        sa.Index("notification_by_department", "department", "claim_by", "id"),
        sa.Index("notification_by_deadline", "claim_by", "id"),
    )


class PermitApplication(Row, table=True):
    """An application for an item, in one of three ways. `record` is what it was judged by; `decided` how it ended."""

    __tablename__ = "permit_application"

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc")
    item_id: str
    part: int
    way: str
    status: str
    department: str
    filed_by: str
    filed_on: date
    decide_by: date | None = None
    days_basis: str | None = None
    record: dict[str, Any] = Field(sa_type=JSONB)
    decided: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    permit_id: UUID | None = None
    version: int = 1

    __table_args__ = (
        sa.Index(
            "permit_application_open", "uscc", "item_id", unique=True, postgresql_where=sa.text("status = 'in_review'")
        ),
        sa.Index("permit_application_by_owner", "filed_by", "filed_on", "id"),
        sa.Index("permit_application_by_department", "department", "filed_on", "id"),
        sa.Index("permit_application_by_enterprise", "uscc", "filed_on", "id"),
    )


class Permit(Row, table=True):
    """A permit that was granted; in force while it is not revoked."""

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc")
    item_id: str
    part: int
    department: str
    mode: str
    granted_on: date
    revoked_on: date | None = None
    revoked_for: str | None = None

    __table_args__ = (
        sa.Index("permit_in_force", "uscc", "item_id", unique=True, postgresql_where=sa.text("revoked_on IS NULL")),
        sa.Index("permit_by_enterprise", "uscc", "granted_on", "id"),
    )


class Commitment(Row, table=True):
    """A written commitment (告知承诺) for a permit. `told_to_credit`: credit has restricted the mode for the breach,
    so that the end of that is its repair."""

    id: UUID = Field(primary_key=True)
    permit_id: UUID = Field(foreign_key="permit.id", unique=True)
    uscc: str = Field(foreign_key="enterprise.uscc", index=True)
    item_id: str
    given_on: date
    check_by: date
    state: str
    inspection_id: UUID | None = None
    unkept_on: date | None = None
    told_to_credit: bool = False
    repaired_on: date | None = None


class Filing(Row, table=True):
    """A filing (备案) that was recorded."""

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc")
    item_id: str
    department: str
    recorded_on: date

    __table_args__ = (sa.UniqueConstraint("uscc", "item_id"),)
