"""Scorecards as versions, their history and activations; overrides"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "risk_0004"
down_revision = "risk_0003"
branch_labels = None
depends_on = None

JSON = postgresql.JSONB(astext_type=sa.Text())
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _scorecards()
    _activations()
    _overrides()


def _scorecards() -> None:
    op.create_table(
        "scorecard",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("drafted_by", sa.String(), nullable=False),
        sa.Column("drafted_at", TIME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("scored", sa.BigInteger(), nullable=False),
        sa.Column("to_score", sa.BigInteger(), nullable=True),
        sa.Column("scored_at", TIME, nullable=True),
        sa.CheckConstraint(
            "state IN ('draft', 'shadow', 'active', 'retired', 'withdrawn')", name="scorecard_has_a_state"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("scorecard_by_digest", "scorecard", ["digest"], unique=True)
    op.create_index("scorecard_by_age", "scorecard", ["drafted_at", "id"])
    for state in ("active", "shadow"):
        where = sa.text(f"state = '{state}'")
        op.create_index(f"scorecard_{state}", "scorecard", ["state"], unique=True, postgresql_where=where)
    op.create_table(
        "scorecard_event",
        sa.Column("n", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("scorecard_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("n"),
    )
    op.create_index("scorecard_event_by_scorecard", "scorecard_event", ["scorecard_id", "n"])
    op.execute(
        "CREATE FUNCTION history_stays() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION 'history is not rewritten'; END$$"
    )
    op.execute(
        "CREATE TRIGGER scorecard_history_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON scorecard_event"
        " FOR EACH STATEMENT EXECUTE FUNCTION history_stays()"
    )


def _activations() -> None:
    op.create_table(
        "activation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scorecard_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("replaces", sa.String(), nullable=False),
        sa.Column("rollback", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", TIME, nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.CheckConstraint(
            "outcome IS DISTINCT FROM 'signed' OR decided_by <> proposed_by", name="activation_has_two_people"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("activation_by_scorecard", "activation", ["scorecard_id", "proposed_at"])
    # At most one proposal waits: what is signed is then what was compared with the scorecard in force.
    op.create_index(
        "activation_open", "activation", [sa.text("(outcome IS NULL)")], unique=True,
        postgresql_where=sa.text("outcome IS NULL"),
    )  # fmt: skip


def _overrides() -> None:
    op.create_table(
        "risk_override",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("risk_class", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.String(), nullable=False),
        sa.Column("entered_at", TIME, nullable=False),
        sa.Column("signed_by", sa.String(), nullable=True),
        sa.Column("signed_at", TIME, nullable=True),
        sa.Column("ended", sa.String(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("signed_by <> entered_by", name="override_has_two_people"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("override_by_enterprise", "risk_override", ["uscc", "entered_at"])
    op.create_index("override_by_age", "risk_override", ["entered_at", "id"])
    waits, holds = "ended IS NULL AND signed_by IS NULL", "ended IS NULL AND signed_by IS NOT NULL"
    op.create_index("override_waiting", "risk_override", ["uscc"], unique=True, postgresql_where=sa.text(waits))
    op.create_index("override_in_force", "risk_override", ["uscc"], unique=True, postgresql_where=sa.text(holds))
