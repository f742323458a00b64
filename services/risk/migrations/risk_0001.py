"""Facts, profiles, assessment dates, counters, the scorecard in force"""

import sqlalchemy as sa
from alembic import op

revision = "risk_0001"
down_revision = None
branch_labels = ("risk",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "active_scorecard",
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("activated_at"),
    )
    op.create_table(
        "assessment",
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=False),
        sa.Column("moving", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("partition"),
    )
    op.create_table(
        "counter",
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("risk_class", sa.SmallInteger(), nullable=False),
        sa.Column("enterprises", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partition", "risk_class"),
    )
    op.create_table(
        "fact",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.SmallInteger(), nullable=False),
        sa.Column("indicator", sa.String(), nullable=False),
        sa.Column("legal_date", sa.Date(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "source", "sequence", "n"),
    )
    op.create_table(
        "profile",
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("risk_class", sa.SmallInteger(), nullable=False),
        sa.Column("announced_class", sa.SmallInteger(), nullable=True),
        sa.Column("next_step_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("uscc"),
    )
    op.create_index("profile_by_class", "profile", ["risk_class", "uscc"], unique=False)
    op.create_index("profile_by_step", "profile", ["partition", "next_step_on"], unique=False)
    # A profile is rewritten often and in place: leave room on its page, so that no index is touched.
    op.execute("ALTER TABLE profile SET (fillfactor = 50)")
