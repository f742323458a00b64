"""Watch lists, warnings and what they count, looks that last"""

import sqlalchemy as sa
from alembic import op

revision = "risk_0005"
down_revision = "risk_0004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _watch_lists()
    _warnings()
    op.create_table(
        "look",
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("actor", "object", "purpose"),
    )
    # What changes rarely is indexed for the search, never the score: a profile stays where it is when facts come.
    for name in ("profile", "shadow_profile"):
        op.create_index(f"{name}_by_division", name, ["division", "uscc"])
        op.create_index(f"{name}_by_area", name, ["area", "uscc"])
        op.create_index(f"{name}_by_change", name, ["class_changed_on", "uscc"])


def _watch_lists() -> None:
    op.create_table(
        "watch_list",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("shared_with", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("watch_list_by_owner", "watch_list", ["owner", "name"], unique=True)
    op.create_index("watch_list_by_reader", "watch_list", ["shared_with"], postgresql_using="gin")
    op.create_table(
        "watched",
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["watch_list.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("list_id", "uscc"),
    )


def _warnings() -> None:
    op.create_table(
        "warning",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=True),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column("raised_at", TIME, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("acknowledged_at", TIME, nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'acknowledged', 'closed')", name="warning_has_a_state"),
        sa.CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name="warning_closed_with_an_outcome"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "warning_open", "warning", ["kind", "object"], unique=True, postgresql_where=sa.text("state <> 'closed'")
    )
    op.create_index("warning_by_object", "warning", ["kind", "object", "closed_at"])
    op.create_index("warning_by_state", "warning", ["state", "raised_at", "id"])
    op.create_index("warning_by_age", "warning", ["raised_at", "id"])
    op.create_index("warning_by_enterprise", "warning", ["uscc", "raised_at", "id"])
    op.create_table(
        "counted_object",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("newest_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "object"),
    )
    op.create_table(
        "counted",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "object", "event_id"),
    )
    op.create_index("counted_by_date", "counted", ["kind", "object", "on_date"])
    op.create_index("counted_by_enterprise", "counted", ["uscc"])
