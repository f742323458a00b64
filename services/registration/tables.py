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

NO_LIST, ONE, NONE = sa.text("'[]'"), sa.text("1"), sa.text("0")


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

    `decision` is the screening of this `round`; `decided` how the application ended; `corrections` what is asked for
    now, until `correct_by`; signers have until `sign_by`; `proposed` a registration that waits for a second officer.
    `version` counts everything that has happened to it; `concerns`: who of its parties may be barred from applying.
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
    corrections: list[dict[str, Any]] = Field(default=[], sa_type=JSONB, sa_column_kwargs={"server_default": NO_LIST})
    correct_by: date | None = None
    sign_by: date | None = None
    decided: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    proposed: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    concerns: list[dict[str, Any]] = Field(default=[], sa_type=JSONB, sa_column_kwargs={"server_default": NO_LIST})

    __table_args__ = (
        sa.Index("application_by_time", "submitted_at", "id"),
        sa.Index("application_by_owner", "filed_by", "submitted_at", "id"),
        sa.Index("application_name_grams", sa.text("name_grams(lower(enterprise_name))"), postgresql_using="gin"),
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


class Document(Row, table=True):
    """A document that an applicant has supplied. Its content may name people, as `party` and `draft` do."""

    id: UUID = Field(primary_key=True)
    application_id: UUID = Field(foreign_key="application.id", index=True)
    kind: str
    media_type: str
    size: int
    sha256: str
    investor: int | None = None
    proof: str | None = None
    supplied_by: str
    supplied_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    content: bytes


class Signature(Row, table=True):
    """Who signs a round of an application (`field`: `investors.0`, `legal_representative`), and by what they did: under
    the `account` that was named, on a paper, or on the word of who filed. The digest is that of what was signed."""

    application_id: UUID = Field(foreign_key="application.id", primary_key=True)
    round: int = Field(primary_key=True)
    field: str = Field(primary_key=True)
    account: str | None = None
    way: str | None = None
    digest: str | None = None
    signed_by: str | None = None
    signed_at: datetime | None = Field(default=None, sa_type=sa.DateTime(timezone=True))
    document_id: UUID | None = Field(default=None, foreign_key="document.id")

    __table_args__ = (
        sa.Index(
            "signature_waited_for", "account", "application_id", "field",
            postgresql_where=sa.text("signed_at IS NULL AND account IS NOT NULL"),
        ),
    )  # fmt: skip


class Party(Row, table=True):
    """A person or body that an application names."""

    party_id: UUID = Field(primary_key=True)
    application_id: UUID = Field(foreign_key="application.id", index=True)
    role: str
    kind: str
    name: str
    country: str


class Enterprise(Row, table=True):
    """A registered enterprise as it stands; `version` counts its changes. One that came from an older register has no
    application: `facts` are those that it would be judged by, `flags` what a person has to look at."""

    uscc: str = Field(primary_key=True)
    application_id: UUID | None = Field(default=None, foreign_key="application.id", unique=True)
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
    facts: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    flags: list[str] = Field(default=[], sa_type=ARRAY(sa.Text), sa_column_kwargs={"server_default": sa.text("'{}'")})
    legacy_form: str | None = None
    withdrawn_on: date | None = None

    __table_args__ = (sa.Index("enterprise_name_grams", sa.text("name_grams(lower(name))"), postgresql_using="gin"),)


class ImportRun(Row, table=True):
    """How far a file of an older register is read, by what it holds; it moves with what was entered."""

    __tablename__ = "import_run"

    digest: str = Field(primary_key=True)
    lines: int = Field(default=0, sa_column_kwargs={"server_default": NONE})
    entered: int = Field(default=0, sa_column_kwargs={"server_default": NONE})
    flagged: int = Field(default=0, sa_column_kwargs={"server_default": NONE})
    rejected: int = Field(default=0, sa_column_kwargs={"server_default": NONE})
    reject_bytes: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs={"server_default": NONE})


class NameHeld(Row, table=True):
    """A name that is somebody's: reserved for an account, on an application, on the register, or of an enterprise that
    has left it. `until`: the last day of a reservation or of the year after leaving; without one it is held on."""

    __tablename__ = "name_held"

    id: UUID = Field(primary_key=True)
    state: str
    holder: str | None = None
    name: dict[str, str] = Field(sa_type=JSONB)
    full_name: str
    trade: str = Field(index=True)
    core: str = Field(index=True)
    sound: str = Field(index=True)
    industry: str
    division: str
    held_since: date
    until: date | None = None
    application_id: UUID | None = Field(default=None, unique=True)
    uscc: str | None = Field(default=None, unique=True)

    __table_args__ = (
        sa.Index("name_held_reserved", "holder", "held_since", "id", postgresql_where=sa.text("state = 'reserved'")),
    )


class EnterpriseChange(Row, table=True):
    """A change that was asked for, with its decision; only an accepted one has altered the enterprise."""

    __tablename__ = "enterprise_change"

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc", index=True)
    requested_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    outcome: str
    changed: dict[str, Any] = Field(sa_type=JSONB)
    decision: dict[str, Any] = Field(sa_type=JSONB)


class InformationReport(Row, table=True):
    """A report of an enterprise with foreign investors. `because`: the application or change that it came with."""

    __tablename__ = "information_report"

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc", index=True)
    kind: str
    year: int | None = None
    matters: list[str] = Field(default=[], sa_type=ARRAY(sa.Text))
    happened_on: date | None = None
    filed_on: date
    filed_by: str | None = None
    late: bool = False
    because: UUID | None = None
    content: dict[str, Any] = Field(default={}, sa_type=JSONB)

    __table_args__ = (sa.UniqueConstraint("uscc", "year", name="one_annual_report_a_year"),)


class ReportOrder(Row, table=True):
    """An order to report, by the clock or by an officer; `ended`: whether it was met."""

    __tablename__ = "report_order"

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc", index=True)
    kind: str
    year: int | None = None
    ordered_on: date
    due_on: date
    officer: str | None = None
    reason: str | None = None
    ended: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))


class FalseRegistration(Row, table=True):
    """A case on a registration obtained by false papers, open until it is decided."""

    __tablename__ = "false_registration"

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc", index=True)
    opened_on: date
    officer: str
    reason: str
    notice_until: date
    objections: list[dict[str, Any]] = Field(default=[], sa_type=JSONB)
    decided: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    version: int = 1

    __table_args__ = (
        sa.Index("false_registration_open", "uscc", unique=True, postgresql_where=sa.text("decided IS NULL")),
    )


class Ban(Row, table=True):
    """Somebody who may not apply for a registration, under the opaque id by which they are known."""

    known_as: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="false_registration.id", primary_key=True)
    since: date
    until: date


class EnterpriseSpan(Row, table=True):
    """What held of an enterprise from `valid_from` to the day before `valid_to`, as it was known from `recorded_at`
    until `superseded_at`. Rows are superseded and never altered otherwise."""

    __tablename__ = "enterprise_span"

    uscc: str = Field(foreign_key="enterprise.uscc", primary_key=True)
    number: int = Field(primary_key=True)
    valid_from: date
    valid_to: date | None = None
    recorded_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    superseded_at: datetime | None = Field(default=None, sa_type=sa.DateTime(timezone=True))
    because: str
    cause: UUID
    reason: str | None = None
    content: dict[str, Any] = Field(sa_type=JSONB)


class HistoryCorrection(Row, table=True):
    """A correction of what the register held in a time that is over: who made it, and why."""

    __tablename__ = "history_correction"

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc", index=True)
    valid_from: date
    valid_to: date
    corrected_on: date
    officer: str
    reason: str


class HandOver(Row, table=True):
    """A matter that follows on the registration, with those who handle it."""

    __tablename__ = "hand_over"

    uscc: str = Field(foreign_key="enterprise.uscc", primary_key=True)
    matter: str = Field(primary_key=True)
    state: str
    handed_on: date
    due_on: date
    settled_on: date | None = None
    officer: str | None = None
    version: int = 1


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
