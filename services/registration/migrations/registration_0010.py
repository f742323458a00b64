"""Matters that follow on a registration, handed over to those who handle them."""

import sqlalchemy as sa
from alembic import op

revision = "registration_0010"
down_revision = "registration_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hand_over",
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("matter", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("handed_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("officer", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["uscc"], ["enterprise.uscc"]),
        sa.PrimaryKeyConstraint("uscc", "matter"),
    )
