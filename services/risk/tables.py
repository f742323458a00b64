"""The rows that risk owns: facts as they were stated, the profile they add up to, and the date each partition is at."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, Index, SQLModel


class Row(SQLModel, registry=registry()):
    """The base of this service's tables."""


metadata = Row.metadata


class FactSheet(Row, table=True):
    """All that is known of one enterprise, as packed facts (`services.risk.packed`): those that hold (`live`), and the
    erased, replaced and erasing ones (`past`)."""

    __tablename__ = "fact_sheet"

    uscc: str = Field(primary_key=True)
    live: bytes
    past: bytes


class ProfileColumns(Row):
    """What an enterprise's facts add up to on its partition's assessment date. `risk_class` 0 to 3 is A to D;
    `announced_class` is the one last said in an event. `reasons`: bit i is rule i of the scorecard. `division`, `area`
    and `foreign_invested` are what its facts say, for searching. `scored_in`: the transaction that wrote the row.
    No index holds the score: it would be rewritten at each change.
    """

    uscc: str = Field(primary_key=True)
    partition: int = Field(sa_type=sa.SmallInteger)
    score: int
    risk_class: int = Field(sa_type=sa.SmallInteger)
    announced_class: int = Field(sa_type=sa.SmallInteger)
    next_step_on: date | None
    reasons: int = Field(sa_type=sa.BigInteger)
    division: int | None = Field(sa_type=sa.SmallInteger)
    area: str | None
    foreign_invested: bool | None
    class_changed_on: date | None
    scored_in: int = Field(sa_type=sa.BigInteger)


DIFFERS = sa.text("risk_class <> announced_class")


class Profile(ProfileColumns, table=True):
    """The enterprise by the scorecard in force. What indexes it has, `ShadowProfile` has: the two change places."""

    __table_args__ = (
        Index("profile_by_step", "partition", "next_step_on"),
        Index("profile_by_class", "risk_class", "uscc"),
        Index("profile_by_division", "division", "uscc"),
        Index("profile_by_area", "area", "uscc"),
        Index("profile_by_change", "class_changed_on", "uscc"),
        Index("profile_by_difference", "partition", "announced_class", "risk_class", "uscc", postgresql_where=DIFFERS),
    )


class ShadowProfile(ProfileColumns, table=True):
    """The enterprise by the scorecard that runs beside the one in force."""

    __tablename__ = "shadow_profile"
    __table_args__ = (
        Index("shadow_profile_by_step", "partition", "next_step_on"),
        Index("shadow_profile_by_class", "risk_class", "uscc"),
        Index("shadow_profile_by_division", "division", "uscc"),
        Index("shadow_profile_by_area", "area", "uscc"),
        Index("shadow_profile_by_change", "class_changed_on", "uscc"),
        Index(
            "shadow_profile_by_difference",
            "partition",
            "announced_class",
            "risk_class",
            "uscc",
            postgresql_where=DIFFERS,
        ),
    )


class ShadowState(Row, table=True):
    """How far the scoring by the shadow has come, in one row: all enterprises up to and with `behind` have their shadow
    profile, as of what transactions before `began_in` have written. `complete`: every one has, and both are kept."""

    __tablename__ = "shadow_state"

    only: bool = Field(default=True, primary_key=True)
    digest: str
    behind: str
    began_in: int = Field(sa_type=sa.BigInteger)
    complete: bool


class Assessment(Row, table=True):
    """The date on which a partition's enterprises are assessed; `moving_to`, while its rows are being brought there."""

    partition: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    assessed_on: date
    moving_to: date | None = None


class CounterColumns(Row):
    """Enterprises by class, per partition so that partitions do not fight for one row; summed on read. `dimension`:
    all, sector (the letter of GB/T 4754), area, ownership (foreign, domestic); `key` is empty where it is unknown."""

    partition: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    dimension: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    risk_class: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    enterprises: int = Field(sa_type=sa.BigInteger)


class Counter(CounterColumns, table=True):
    """By the scorecard in force."""


class ShadowCounter(CounterColumns, table=True):
    """By the scorecard that runs beside it."""

    __tablename__ = "shadow_counter"


class DailyCounter(Row, table=True):
    """What a counter stood at after its last change on a date: a trend takes the last row until each of its days."""

    __tablename__ = "daily_counter"

    dimension: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    on_date: date = Field(primary_key=True)
    partition: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    risk_class: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    enterprises: int = Field(sa_type=sa.BigInteger)


class ClassChange(Row, table=True):
    """One announcement of a class: the history of an enterprise, and what the feed hands on."""

    __tablename__ = "class_change"
    __table_args__ = (Index("class_change_by_enterprise", "uscc", "position"),)

    position: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_args=(sa.Identity(),))
    uscc: str
    at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    assessed_on: date
    before: int | None = Field(sa_type=sa.SmallInteger)
    after: int = Field(sa_type=sa.SmallInteger)
    score: int
    reasons: list[str] = Field(sa_type=sa.ARRAY(sa.String))
    scorecard_digest: str


class ActiveScorecard(Row, table=True):
    """The scorecard that the profiles are scored by: the newest row."""

    __tablename__ = "active_scorecard"

    activated_at: datetime = Field(primary_key=True, sa_type=sa.DateTime(timezone=True))
    name: str
    digest: str


class StoredScorecard(Row, table=True):
    """A scorecard and how far it has come: draft -> shadow -> active -> retired, or withdrawn before it was active.

    `content` is the document that was handed in; it is edited as a draft and never after. `scored` of `to_score`
    enterprises are scored by it beside the one in force; `scored_at`: since then all of them are, and stay so.
    """

    __tablename__ = "scorecard"
    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('draft', 'shadow', 'active', 'retired', 'withdrawn')", name="scorecard_has_a_state"
        ),
        Index("scorecard_by_digest", "digest", unique=True),
        Index("scorecard_by_age", "drafted_at", "id"),
        Index("scorecard_active", "state", unique=True, postgresql_where=sa.text("state = 'active'")),
        Index("scorecard_shadow", "state", unique=True, postgresql_where=sa.text("state = 'shadow'")),
    )

    id: UUID = Field(primary_key=True)
    digest: str
    name: str
    content: dict[str, Any] = Field(sa_type=JSONB)
    state: str
    drafted_by: str
    drafted_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    version: int
    scored: int = Field(default=0, sa_type=sa.BigInteger)
    to_score: int | None = Field(default=None, sa_type=sa.BigInteger)
    scored_at: datetime | None = Field(default=None, sa_type=sa.DateTime(timezone=True))


class ScorecardEvent(Row, table=True):
    """What was done with a scorecard, by whom and why. Rows are added; a trigger refuses everything else."""

    __tablename__ = "scorecard_event"
    __table_args__ = (Index("scorecard_event_by_scorecard", "scorecard_id", "n"),)

    n: int | None = Field(default=None, sa_column=sa.Column(sa.BigInteger, sa.Identity(), primary_key=True))
    scorecard_id: UUID
    digest: str
    act: str
    by: str
    at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    reason: str | None


class Activation(Row, table=True):
    """A proposal to put a scorecard in force in place of `replaces`, the one in force when it was made.

    `outcome`: signed (by somebody else, and in force since), refused, or overtaken by other acts; null while it waits.
    """

    __table_args__ = (
        sa.CheckConstraint(
            "outcome IS DISTINCT FROM 'signed' OR decided_by <> proposed_by", name="activation_has_two_people"
        ),
        Index("activation_by_scorecard", "scorecard_id", "proposed_at"),
        Index(
            "activation_open", sa.text("(outcome IS NULL)"), unique=True, postgresql_where=sa.text("outcome IS NULL")
        ),
    )

    id: UUID = Field(primary_key=True)
    scorecard_id: UUID
    digest: str
    replaces: str
    rollback: bool
    reason: str
    proposed_by: str
    proposed_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    outcome: str | None
    decided_by: str | None
    decided_at: datetime | None = Field(sa_type=sa.DateTime(timezone=True))


class RiskOverride(Row, table=True):
    """A class that people have set beside the computed one, until `expires_on` (the first day without it). It holds
    from the second signature. `ended`: expired, withdrawn, or replaced by a later one."""

    __tablename__ = "risk_override"
    __table_args__ = (
        sa.CheckConstraint("signed_by <> entered_by", name="override_has_two_people"),
        Index("override_by_enterprise", "uscc", "entered_at"),
        Index("override_by_age", "entered_at", "id"),
        Index(
            "override_waiting", "uscc", unique=True,
            postgresql_where=sa.text("ended IS NULL AND signed_by IS NULL"),
        ),
        Index(
            "override_in_force", "uscc", unique=True,
            postgresql_where=sa.text("ended IS NULL AND signed_by IS NOT NULL"),
        ),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    uscc: str
    risk_class: int = Field(sa_type=sa.SmallInteger)
    reason: str
    expires_on: date
    entered_by: str
    entered_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    signed_by: str | None
    signed_at: datetime | None = Field(sa_type=sa.DateTime(timezone=True))
    ended: str | None
    ended_by: str | None
    ended_at: datetime | None = Field(sa_type=sa.DateTime(timezone=True))
    end_reason: str | None
    version: int


class WatchList(Row, table=True):
    """Enterprises that a regulator keeps an eye on, under a name; `shared_with`: accounts that may look at it too."""

    __tablename__ = "watch_list"
    __table_args__ = (
        Index("watch_list_by_owner", "owner", "name", unique=True),
        Index("watch_list_by_reader", "shared_with", postgresql_using="gin"),
    )

    id: UUID = Field(primary_key=True)
    owner: str
    name: str
    shared_with: list[str] = Field(sa_type=sa.ARRAY(sa.String))
    version: int


class Watched(Row, table=True):
    """One enterprise of a watch list."""

    list_id: UUID = Field(
        sa_column=sa.Column(sa.Uuid, sa.ForeignKey("watch_list.id", ondelete="CASCADE"), primary_key=True)
    )
    uscc: str = Field(primary_key=True)
    added_at: datetime = Field(sa_type=sa.DateTime(timezone=True))


class Warning(Row, table=True):
    """What people should look at, by a row of warnings.csv: `value` has reached `threshold` within `window_days`. Of
    one kind and object one at most is not closed. `uscc` where the object is an enterprise."""

    __table_args__ = (
        sa.CheckConstraint("state IN ('open', 'acknowledged', 'closed')", name="warning_has_a_state"),
        sa.CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name="warning_closed_with_an_outcome"),
        Index("warning_open", "kind", "object", unique=True, postgresql_where=sa.text("state <> 'closed'")),
        Index("warning_by_object", "kind", "object", "closed_at"),
        Index("warning_by_state", "state", "raised_at", "id"),
        Index("warning_by_age", "raised_at", "id"),
        Index("warning_by_enterprise", "uscc", "raised_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    kind: str
    object: str
    uscc: str | None
    value: int
    threshold: int
    window_days: int
    raised_on: date
    raised_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    state: str
    acknowledged_by: str | None
    acknowledged_at: datetime | None = Field(sa_type=sa.DateTime(timezone=True))
    outcome: str | None
    note: str | None
    closed_by: str | None
    closed_at: datetime | None = Field(sa_type=sa.DateTime(timezone=True))
    version: int


class CountedObject(Row, table=True):
    """What a warning counts by, locked while one more is counted: two at once would both see one too few."""

    __tablename__ = "counted_object"

    kind: str = Field(primary_key=True)
    object: str = Field(primary_key=True)
    newest_on: date


class Counted(Row, table=True):
    """One event that counts towards a warning of this kind about this object."""

    __table_args__ = (
        Index("counted_by_date", "kind", "object", "on_date"),
        Index("counted_by_enterprise", "uscc"),
    )

    kind: str = Field(primary_key=True)
    object: str = Field(primary_key=True)
    event_id: UUID = Field(primary_key=True)
    uscc: str
    on_date: date


class Tie(Row, table=True):
    """A party stands behind an enterprise in a role, or (role `address`) an enterprise is at an address; both under
    opaque ids. A nil id: nobody known, since this event. `sequence`: of the event; a later one replaces its role."""

    __table_args__ = (Index("tie_by_object", "object"),)

    uscc: str = Field(primary_key=True)
    role: str = Field(primary_key=True)
    object: UUID = Field(primary_key=True)
    sequence: int = Field(sa_type=sa.BigInteger)
    since: date


class SharedAddress(Row, table=True):
    """How many enterprises are at an address: the ties to it, counted and locked."""

    __tablename__ = "shared_address"

    address: UUID = Field(primary_key=True)
    enterprises: int


class Burden(Row, table=True):
    """A fact of an enterprise that bears on its relatives (policy/relatives.csv), and its newest legal date."""

    uscc: str = Field(primary_key=True)
    indicator: str = Field(primary_key=True)
    since: date


class RelatedSignal(Row, table=True):
    """What an enterprise was told of others last; no row where that holds no more. `record`: the other enterprise's
    code, or `domicile`."""

    __tablename__ = "related_signal"
    __table_args__ = (Index("related_signal_by_record", "record"),)

    uscc: str = Field(primary_key=True)
    indicator: str = Field(primary_key=True)
    record: str = Field(primary_key=True)
    value: int
    since: date


class Look(Row, table=True):
    """Since when somebody follows something for a purpose: one audit row for each such session."""

    actor: str = Field(primary_key=True)
    object: str = Field(primary_key=True)
    purpose: str = Field(primary_key=True)
    at: datetime = Field(sa_type=sa.DateTime(timezone=True))
