"""Information reports and orders to report; forms of the former laws on foreign investment."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "registration_0007"
down_revision = "registration_0006"
branch_labels = None
depends_on = None

JSON = postgresql.JSONB(astext_type=sa.Text())
TEXTS = postgresql.ARRAY(sa.Text())


def upgrade() -> None:
    op.add_column("enterprise", sa.Column("legacy_form", sa.String(), nullable=True))
    op.create_table(
        "information_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("matters", TEXTS, nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=True),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("filed_by", sa.String(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("because", sa.Uuid(), nullable=True),
        sa.Column("content", JSON, nullable=False),
        sa.ForeignKeyConstraint(["uscc"], ["enterprise.uscc"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uscc", "year", name="one_annual_report_a_year"),
    )
    op.create_index(op.f("ix_information_report_uscc"), "information_report", ["uscc"])
    op.create_table(
        "report_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("officer", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("ended", JSON, nullable=True),
        sa.ForeignKeyConstraint(["uscc"], ["enterprise.uscc"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_report_order_uscc"), "report_order", ["uscc"])
