"""The case timeline, risk events apart from it, and who is signed in"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "lobby_0001"
down_revision = None
branch_labels = ("lobby",)
depends_on = None

Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "application",
        sa.Column("application_id", sa.Uuid(), primary_key=True),
        sa.Column("filed_by", sa.Text()),
        sa.Column("uscc", sa.Text()),
    )
    op.create_table(
        "enterprise",
        sa.Column("uscc", sa.Text(), primary_key=True),
        sa.Column("filed_by", sa.Text()),
        sa.Column("application_id", sa.Uuid(), nullable=False),
    )
    op.create_table(
        "timeline_entry",
        sa.Column("event_id", sa.Uuid(), primary_key=True),
        sa.Column("n", sa.BigInteger(), sa.Identity(), nullable=False, unique=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("uscc", sa.Text()),
        sa.Column("application_id", sa.Uuid()),
        sa.Column("time", Time, nullable=False),
        sa.Column("codes", postgresql.JSONB(), nullable=False),
    )
    op.create_index("timeline_entry_by_enterprise", "timeline_entry", ["uscc", "time"])
    op.create_index("timeline_entry_by_application", "timeline_entry", ["application_id", "time"])
    op.create_table(
        "risk_event",
        sa.Column("event_id", sa.Uuid(), primary_key=True),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("time", Time, nullable=False),
        sa.Column("codes", postgresql.JSONB(), nullable=False),
    )
    op.create_index("risk_event_by_enterprise", "risk_event", ["uscc", "time"])
    op.create_table(
        "browser_session",
        sa.Column("id_hash", sa.LargeBinary(), primary_key=True),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("opened_at", Time, nullable=False, server_default=sa.text("now()")),
        sa.Column("seen_at", Time, nullable=False, server_default=sa.text("now()")),
    )
    op.create_index("browser_session_by_age", "browser_session", ["seen_at"])
