"""The rows that supervision owns: two libraries, tasks with their draws, inspections, corrections."""

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, Index, SQLModel


class Row(SQLModel, registry=registry()):
    """The base of this service's tables."""


metadata = Row.metadata
NULLABLE = JSONB(none_as_null=True)


class Enterprise(Row, table=True):
    """The object library (检查对象名录库): a copy of what registration says. `filed_by`: whose enterprise it is."""

    uscc: str = Field(primary_key=True)
    filed_by: str | None
    registered_on: date
    activities: list[str] = Field(sa_type=ARRAY(sa.Text))
    area: str
    deregistered_on: date | None = None


class InternalClass(Row, table=True):
    """The risk class as risk announced it last. Internal: only the draw and the auditor's record read this table."""

    __tablename__ = "internal_class"

    uscc: str = Field(primary_key=True)
    risk_class: str


class Permit(Row, table=True):
    """A copy of what licensing says of permits; part of the object library."""

    permit_id: UUID = Field(primary_key=True)
    uscc: str = Field(index=True)
    item_id: str
    department: str
    granted_on: date
    revoked_on: date | None = None


class Listing(Row, table=True):
    """A copy of what credit says of its lists; part of the object library."""

    listing_id: UUID = Field(primary_key=True)
    uscc: str = Field(index=True)
    list: str
    listed_on: date
    delisted_on: date | None = None


class Obligation(Row, table=True):
    """A commitment that has to be checked by `check_by`. `ended_on`: there is nothing left to check."""

    __table_args__ = (Index("obligation_open", "check_by", "commitment_id"),)

    commitment_id: UUID = Field(primary_key=True)
    uscc: str = Field(index=True)
    permit_id: UUID = Field(index=True)
    item_id: str
    department: str
    given_on: date
    check_by: date
    correlation_id: str
    checked_on: date | None = None
    ended_on: date | None = None


class Inspector(Row, table=True):
    """The inspector library (执法检查人员名录库). `conflicts`: enterprises that the inspector must not inspect."""

    account: str = Field(primary_key=True)
    department: str
    conflicts: list[str] = Field(sa_type=ARRAY(sa.Text))
    available: bool
    version: int = 1


class Task(Row, table=True):
    """A filed task: what is inspected, on which basis, how large a part of each class. `on_date`: the planned day."""

    id: UUID = Field(primary_key=True)
    code_set: str
    items: list[str] = Field(sa_type=ARRAY(sa.Text))
    legal_basis: str
    departments: list[str] = Field(sa_type=ARRAY(sa.Text))
    kind: str
    ratios: dict[str, str] = Field(sa_type=JSONB)
    scheme: str | None
    activities: list[str] = Field(sa_type=ARRAY(sa.Text))
    on_date: date
    filed_on: date
    filed_by: str
    policy_digest: str


class Draw(Row, table=True):
    """A task's draw: the seed and its commitment from the day of filing; the rest once it is drawn.

    `record` is the auditor's, `public_record` what anyone may read; each is signed. `inspectors` as they stood then.
    """

    id: UUID = Field(primary_key=True)
    task_id: UUID = Field(foreign_key="task.id", unique=True)
    seed: bytes
    commitment: str
    drawn_on: date | None = None
    inspectors: list[dict[str, Any]] | None = Field(default=None, sa_type=NULLABLE)
    record: dict[str, Any] | None = Field(default=None, sa_type=NULLABLE)
    record_digest: str | None = None
    record_jws: str | None = None
    public_record: dict[str, Any] | None = Field(default=None, sa_type=NULLABLE)
    public_jws: str | None = None


class DrawObject(Row, table=True):
    """One enterprise as it stood in the library when the draw was made, with its class: what a draw is repeated from.
    Internal, as the class is. `excluded`: why it did not take part."""

    __tablename__ = "draw_object"

    draw_id: UUID = Field(primary_key=True, foreign_key="draw.id")
    uscc: str = Field(primary_key=True)
    risk_class: str
    excluded: str | None = None


class Inspection(Row, table=True):
    """A visit to be made or made. `code` is the inspection code (检查码) without which there is no visit."""

    __table_args__ = (Index("inspection_by_day", "assigned_on", "id"),)

    id: UUID = Field(primary_key=True)
    code: str = Field(unique=True)
    uscc: str = Field(index=True)
    task_id: UUID | None = Field(foreign_key="task.id", index=True)
    reason: str
    commitment_id: UUID | None = None
    item_id: str | None = None
    code_set: str
    items: list[str] = Field(sa_type=ARRAY(sa.Text))
    legal_basis: str
    departments: list[str] = Field(sa_type=ARRAY(sa.Text))
    assigned_on: date
    correlation_id: str
    state: str = "assigned"
    results: list[dict[str, str]] | None = Field(default=None, sa_type=NULLABLE)
    reported_by: str | None = None
    reported_on: date | None = None
    completed_on: date | None = None
    publish_by: date | None = None
    publish_by_provisional: bool = False
    published_on: date | None = Field(default=None, index=True)
    version: int = 1


class Assignment(Row, table=True):
    """An inspector on an inspection; at least two to each."""

    __table_args__ = (Index("assignment_by_account", "account", "inspection_id"),)

    inspection_id: UUID = Field(primary_key=True, foreign_key="inspection.id")
    account: str = Field(primary_key=True)
    department: str


class Correction(Row, table=True):
    """An order to correct what an inspection found. `state`: ordered, overdue, met."""

    __table_args__ = (Index("correction_by_due", "due_on", "id"),)

    id: UUID = Field(primary_key=True)
    inspection_id: UUID = Field(foreign_key="inspection.id", unique=True)
    uscc: str = Field(index=True)
    commitment_id: UUID | None
    ordered_on: date
    due_on: date
    due_on_provisional: bool
    state: str
    overdue_on: date | None = None
    met_on: date | None = None
    correlation_id: str
    version: int = 1
