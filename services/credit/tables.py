"""The rows that credit owns. Nothing of a record or a listing is deleted; what has ended says when and why."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class Row(SQLModel, registry=registry()):
    """The base of this service's tables, so that services in one process do not share a metadata."""


metadata = Row.metadata

NONE, ONE = sa.text("'{}'"), sa.text("1")
STANDING = sa.text("state = 'standing'")


class Enterprise(Row, table=True):
    """What credit knows of an enterprise; a stub while registration has not told of it (`registered_on` is empty).

    `restrictions` and `restriction_grounds` are what was announced last.
    """

    uscc: str = Field(primary_key=True)
    registered_on: date | None = None
    filed_by: str | None = None
    restrictions: list[str] = Field(default=[], sa_type=ARRAY(sa.Text), sa_column_kwargs={"server_default": NONE})
    restriction_grounds: list[str] = Field(
        default=[], sa_type=ARRAY(sa.Text), sa_column_kwargs={"server_default": NONE}
    )


class Record(Row, table=True):
    """A credit record as its newest version says. `origin` and `origin_id`: who made it, and under which id there.

    `state`: standing, repaired, erased. `flags`: doubts with which it was taken.
    """

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc")
    kind: str
    ground: str | None
    origin: str
    origin_id: str
    version: int
    effective_on: date
    received_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    flags: list[str] = Field(sa_type=ARRAY(sa.Text))
    state: str
    public_until: date | None = None
    public_ended_on: date | None = None
    closed_on: date | None = None
    closed_because: str | None = None
    policy_digest: str

    __table_args__ = (
        sa.UniqueConstraint("origin", "origin_id"),
        sa.Index("record_by_enterprise", "uscc", "received_at", "id"),
    )


class RecordVersion(Row, table=True):
    """A version of a record as it came in."""

    __tablename__ = "record_version"

    record_id: UUID = Field(foreign_key="record.id", primary_key=True)
    version: int = Field(primary_key=True)
    content: dict[str, Any] = Field(sa_type=JSONB)
    received_at: datetime = Field(sa_type=sa.DateTime(timezone=True))


class Received(Row, table=True):
    """A record of the city and the answer to it. `identity`: record id and version, or the digest of what has none.

    `place` is where it was first seen: topic, partition and offset.
    """

    identity: str = Field(primary_key=True)
    digest: bytes = Field(sa_type=BYTEA)
    place: str
    record_id: str | None
    version: int | None
    outcome: str
    reason: str | None
    field: str | None
    flags: list[str] = Field(sa_type=ARRAY(sa.Text))
    received_at: datetime = Field(sa_type=sa.DateTime(timezone=True))

    __table_args__ = (sa.Index("received_by_time", "received_at", "identity"),)


class ReceivedCount(Row, table=True):
    """How many records came with which outcome, per partition so that partitions do not fight for one row."""

    __tablename__ = "received_count"

    partition: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    outcome: str = Field(primary_key=True)
    records: int = Field(sa_type=sa.BigInteger)


class Listing(Row, table=True):
    """An enterprise on a list. `state`: standing, ended. `decision`: by whom, on what facts, under which policy."""

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc")
    list: str
    ground: str
    basis: UUID
    listed_on: date
    ends_on: date | None
    state: str
    ended_on: date | None = None
    ended_because: str | None = None
    decision: dict[str, Any] = Field(sa_type=JSONB)

    __table_args__ = (
        sa.Index("listing_standing", "uscc", "list", "ground", unique=True, postgresql_where=STANDING),
        sa.Index("listing_by_enterprise", "uscc", "listed_on", "id"),
    )


class Proposal(Row, table=True):
    """What speaks for a listing and waits for an officer. `because`: the inspection or permit that it comes from;
    `basis`: the record that it rests on, where there is one. `state`: open, listed, declined."""

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc")
    list: str
    ground: str
    because: UUID
    basis: UUID | None
    proposed_on: date
    decide_by: date
    state: str
    decision: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    version: int = Field(default=1, sa_column_kwargs={"server_default": ONE})

    __table_args__ = (
        sa.Index("proposal_open", "uscc", "list", "ground", unique=True, postgresql_where=sa.text("state = 'open'")),
        sa.Index("proposal_because", "uscc", "because"),
    )


class Repair(Row, table=True):
    """An application for repair of a record or a listing (`target`). `state`: in_review, granted, refused."""

    id: UUID = Field(primary_key=True)
    uscc: str = Field(foreign_key="enterprise.uscc")
    target: UUID
    target_kind: str
    record_kind: str | None
    applied_on: date
    decide_by: date
    provisional: bool
    state: str
    facts: dict[str, Any] = Field(sa_type=JSONB)
    decision: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    version: int = Field(default=1, sa_column_kwargs={"server_default": ONE})

    __table_args__ = (
        sa.Index("repair_in_review", "target", unique=True, postgresql_where=sa.text("state = 'in_review'")),
        sa.Index("repair_by_enterprise", "uscc", "applied_on", "id"),
    )
