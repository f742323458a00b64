"""Drafts, rounds of correction, owners, deregistration, suspensions and restrictions.

Columns are added with a default or nullable, so that rows of before stand and the step rewrites no table.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "registration_0002"
down_revision = "registration_0001"
branch_labels = None
depends_on = None

JSON = postgresql.JSONB(astext_type=sa.Text())
TEXTS = postgresql.ARRAY(sa.Text())
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _widen_applications()
    op.add_column("enterprise", sa.Column("filed_by", sa.String(), nullable=True))
    op.add_column("enterprise", sa.Column("capital", sa.String(), nullable=True))
    op.add_column("enterprise", sa.Column("deregistered_on", sa.Date(), nullable=True))
    op.create_index(op.f("ix_enterprise_filed_by"), "enterprise", ["filed_by"])
    op.create_table(
        "draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("saved_at", TIME, nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("draft_by_owner", "draft", ["owner", "saved_at", "id"])
    _deregistrations()
    _heard_from_others()


def _widen_applications() -> None:
    op.add_column("application", sa.Column("filed_by", sa.String(), nullable=True))
    op.add_column("application", sa.Column("round", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("application", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("application", sa.Column("corrections", JSON, server_default=sa.text("'[]'"), nullable=False))
    op.add_column("application", sa.Column("correct_by", sa.Date(), nullable=True))
    op.add_column("application", sa.Column("decided", JSON, nullable=True))
    op.create_index("application_by_time", "application", ["submitted_at", "id"])
    op.create_index("application_by_owner", "application", ["filed_by", "submitted_at", "id"])
    op.create_table(
        "earlier_round",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("submitted_at", TIME, nullable=False),
        sa.Column("form", JSON, nullable=False),
        sa.Column("decision", JSON, nullable=False),
        sa.Column("corrections", JSON, nullable=False),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"]),
        sa.PrimaryKeyConstraint("application_id", "round"),
    )


def _deregistrations() -> None:
    op.create_table(
        "deregistration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("procedure", sa.String(), nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("notice_until", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("decided", JSON, nullable=True),
        sa.ForeignKeyConstraint(["uscc"], ["enterprise.uscc"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_deregistration_uscc"), "deregistration", ["uscc"])
    op.create_index(
        "deregistration_open", "deregistration", ["uscc"], unique=True, postgresql_where=sa.text("decided IS NULL")
    )


def _heard_from_others() -> None:
    op.create_table(
        "suspension",
        sa.Column("permit_id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("permit_item", sa.String(), nullable=False),
        sa.Column("activities", TEXTS, nullable=False),
        sa.Column("suspended_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("permit_id"),
    )
    op.create_index(op.f("ix_suspension_uscc"), "suspension", ["uscc"])
    op.create_table(
        "restriction",
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("restrictions", TEXTS, nullable=False),
        sa.Column("grounds", TEXTS, nullable=False),
        sa.Column("changed_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("uscc"),
    )
