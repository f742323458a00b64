"""Copies of enterprises and restrictions; determinations, notifications, applications, permits, commitments, filings"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "licensing_0001"
down_revision = None
branch_labels = ("licensing",)
depends_on = None

JSON = postgresql.JSONB(astext_type=sa.Text())
TEXTS = postgresql.ARRAY(sa.Text())


def upgrade() -> None:
    _copies()
    _needs()
    _permits()


def _copies() -> None:
    op.create_table(
        "enterprise",
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("filed_by", sa.String(), nullable=True),
        sa.Column("registered_on", sa.Date(), nullable=False),
        sa.Column("activities", TEXTS, nullable=False),
        sa.Column("answers", JSON, nullable=False),
        sa.Column("capital", sa.String(), nullable=True),
        sa.Column("deregistered_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("uscc"),
    )
    op.create_index(op.f("ix_enterprise_filed_by"), "enterprise", ["filed_by"], unique=False)
    op.create_table(
        "restriction",
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("restrictions", TEXTS, nullable=False),
        sa.Column("grounds", TEXTS, nullable=False),
        sa.Column("changed_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("uscc"),
    )


def _needs() -> None:
    op.create_table(
        "determination",
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Uuid(), nullable=False),
        sa.Column("record", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["uscc"],
            ["enterprise.uscc"],
        ),
        sa.PrimaryKeyConstraint("uscc", "number"),
        sa.UniqueConstraint("cause"),
    )
    op.create_table(
        "notification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("cause", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.Integer(), nullable=False),
        sa.Column("dispatch_status", sa.Integer(), nullable=False),
        sa.Column("target_type", sa.Integer(), nullable=False),
        sa.Column("catalogue_department", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("claim_by", sa.Date(), nullable=False),
        sa.Column("claimed_on", sa.Date(), nullable=True),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("overdue_on", sa.Date(), nullable=True),
        sa.Column("returns", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["uscc"],
            ["enterprise.uscc"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uscc", "item_id", "cause"),
    )
    op.create_index(op.f("ix_notification_uscc"), "notification", ["uscc"], unique=False)
    op.create_index("notification_by_deadline", "notification", ["claim_by", "id"], unique=False)
    op.create_index("notification_by_department", "notification", ["department", "claim_by", "id"], unique=False)


def _permits() -> None:
    op.create_table(
        "permit_application",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("filed_by", sa.String(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("decide_by", sa.Date(), nullable=True),
        sa.Column("days_basis", sa.String(), nullable=True),
        sa.Column("record", JSON, nullable=False),
        sa.Column("decided", JSON, nullable=True),
        sa.Column("permit_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["uscc"],
            ["enterprise.uscc"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "permit_application_by_department", "permit_application", ["department", "filed_on", "id"], unique=False
    )
    op.create_index("permit_application_by_enterprise", "permit_application", ["uscc", "filed_on", "id"], unique=False)
    op.create_index("permit_application_by_owner", "permit_application", ["filed_by", "filed_on", "id"], unique=False)
    op.create_index(
        "permit_application_open",
        "permit_application",
        ["uscc", "item_id"],
        unique=True,
        postgresql_where=sa.text("status = 'in_review'"),
    )
    op.create_table(
        "permit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("granted_on", sa.Date(), nullable=False),
        sa.Column("revoked_on", sa.Date(), nullable=True),
        sa.Column("revoked_for", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["uscc"],
            ["enterprise.uscc"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("permit_by_enterprise", "permit", ["uscc", "granted_on", "id"], unique=False)
    op.create_index(
        "permit_in_force", "permit", ["uscc", "item_id"], unique=True, postgresql_where=sa.text("revoked_on IS NULL")
    )
    op.create_table(
        "filing",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["uscc"],
            ["enterprise.uscc"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uscc", "item_id"),
    )
    op.create_table(
        "commitment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("permit_id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("check_by", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=True),
        sa.Column("unkept_on", sa.Date(), nullable=True),
        sa.Column("told_to_credit", sa.Boolean(), nullable=False),
        sa.Column("repaired_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["permit_id"],
            ["permit.id"],
        ),
        sa.ForeignKeyConstraint(
            ["uscc"],
            ["enterprise.uscc"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("permit_id"),
    )
    op.create_index(op.f("ix_commitment_uscc"), "commitment", ["uscc"], unique=False)
