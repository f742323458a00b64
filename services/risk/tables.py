"""The rows that risk owns: facts as they were stated, the profile they add up to, and the date each partition is at."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import registry
from sqlmodel import Field, Index, SQLModel


class Row(SQLModel, registry=registry()):
    """The base of this service's tables."""


metadata = Row.metadata


class Fact(Row, table=True):
    """One thing an event says of one enterprise (its subject, a USCC). Rows are added, never altered: which of them
    hold is worked out from the set."""

    subject: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    sequence: int = Field(primary_key=True, sa_type=sa.BigInteger)
    n: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    indicator: str
    legal_date: date
    value: int | None = Field(sa_type=sa.BigInteger)
    record_id: str
    event_id: UUID


class Profile(Row, table=True):
    """What an enterprise's facts add up to on its partition's assessment date. `risk_class` 0 to 3 is A to D;
    `announced_class` is the one last said in an event. No index holds the score: it would be rewritten at each change.
    """

    __table_args__ = (
        Index("profile_by_step", "partition", "next_step_on"),
        Index("profile_by_class", "risk_class", "uscc"),
    )

    uscc: str = Field(primary_key=True)
    partition: int = Field(sa_type=sa.SmallInteger)
    score: int
    risk_class: int = Field(sa_type=sa.SmallInteger)
    announced_class: int | None = Field(sa_type=sa.SmallInteger)
    next_step_on: date | None


class Assessment(Row, table=True):
    """The date on which a partition's enterprises are assessed; `moving` while its rows are being brought to it."""

    partition: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    assessed_on: date
    moving: bool = False


class Counter(Row, table=True):
    """Enterprises by class, per partition so that partitions do not fight for one row; summed on read."""

    partition: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    risk_class: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    enterprises: int = Field(sa_type=sa.BigInteger)


class ActiveScorecard(Row, table=True):
    """The scorecard that the profiles are scored by: the newest row."""

    __tablename__ = "active_scorecard"

    activated_at: datetime = Field(primary_key=True, sa_type=sa.DateTime(timezone=True))
    name: str
    digest: str
