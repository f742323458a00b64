"""Cases on false registrations, and who may not apply after them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "registration_0008"
down_revision = "registration_0007"
branch_labels = None
depends_on = None

JSON = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    op.add_column("application", sa.Column("concerns", JSON, server_default=sa.text("'[]'"), nullable=False))
    op.add_column("enterprise", sa.Column("withdrawn_on", sa.Date(), nullable=True))
    op.create_table(
        "false_registration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("officer", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("notice_until", sa.Date(), nullable=False),
        sa.Column("objections", JSON, nullable=False),
        sa.Column("decided", JSON, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["uscc"], ["enterprise.uscc"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_false_registration_uscc"), "false_registration", ["uscc"])
    op.create_index(
        "false_registration_open", "false_registration", ["uscc"], unique=True,
        postgresql_where=sa.text("decided IS NULL"),
    )  # fmt: skip
    op.create_table(
        "ban",
        sa.Column("known_as", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["false_registration.id"]),
        sa.PrimaryKeyConstraint("known_as", "case_id"),
    )
