"""Enterprises of an older register: they have no application, and may carry flags."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "registration_0005"
down_revision = "registration_0004"
branch_labels = None
depends_on = None

COUNTS = ("lines", "entered", "flagged", "rejected")


def upgrade() -> None:
    op.alter_column("enterprise", "application_id", nullable=True)
    op.add_column("enterprise", sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column(
        "enterprise",
        sa.Column("flags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.create_table(
        "import_run",
        sa.Column("digest", sa.String(), nullable=False),
        *(sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False) for name in COUNTS),
        sa.Column("reject_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
