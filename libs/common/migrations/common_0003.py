"""Recovery reports"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "common_0003"
down_revision = "common_0002"
branch_labels = None
depends_on = None

ONLY_GROWS = (
    """
    CREATE FUNCTION recovery_report_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'recovery reports are written once, never changed, never deleted' USING ERRCODE = '42501';
    END $$
    """,
    """
    CREATE TRIGGER recovery_reports_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON recovery_report
    FOR EACH STATEMENT EXECUTE FUNCTION recovery_report_only_grows()
    """,
)


def upgrade() -> None:
    op.create_table(
        "recovery_report",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("document", postgresql.BYTEA(), nullable=False),
        sa.Column("jws", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("recovery_report_by_time", "recovery_report", ["at", "id"], unique=False)
    for statement in ONLY_GROWS:
        op.execute(statement)
