"""Enterprises, records, the city's records, listings, proposals and repairs"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "credit_0001"
down_revision = None
branch_labels = ("credit",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enterprise",
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("registered_on", sa.Date(), nullable=True),
        sa.Column("filed_by", sa.String(), nullable=True),
        sa.Column("restrictions", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("restriction_grounds", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("uscc"),
    )
    op.create_table(
        "received",
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("digest", postgresql.BYTEA(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("field", sa.String(), nullable=True),
        sa.Column("flags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("identity"),
    )
    op.create_index("received_by_time", "received", ["received_at", "identity"], unique=False)
    op.create_table(
        "received_count",
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partition", "outcome"),
    )
    op.create_table(
        "listing",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("list", sa.String(), nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("basis", sa.Uuid(), nullable=False),
        sa.Column("listed_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ended_because", sa.String(), nullable=True),
        sa.Column("decision", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["uscc"],
            ["enterprise.uscc"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("listing_by_enterprise", "listing", ["uscc", "listed_on", "id"], unique=False)
    op.create_index(
        "listing_standing",
        "listing",
        ["uscc", "list", "ground"],
        unique=True,
        postgresql_where=sa.text("state = 'standing'"),
    )
    op.create_table(
        "proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("list", sa.String(), nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("because", sa.Uuid(), nullable=False),
        sa.Column("basis", sa.Uuid(), nullable=True),
        sa.Column("proposed_on", sa.Date(), nullable=False),
        sa.Column("decide_by", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decision", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["uscc"],
            ["enterprise.uscc"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("proposal_because", "proposal", ["uscc", "because"], unique=False)
    op.create_index(
        "proposal_open", "proposal", ["uscc", "list", "ground"], unique=True, postgresql_where=sa.text("state = 'open'")
    )
    op.create_table(
        "record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ground", sa.String(), nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("origin_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("flags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("public_until", sa.Date(), nullable=True),
        sa.Column("public_ended_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closed_because", sa.String(), nullable=True),
        sa.Column("policy_digest", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["uscc"],
            ["enterprise.uscc"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("origin", "origin_id"),
    )
    op.create_index("record_by_enterprise", "record", ["uscc", "received_at", "id"], unique=False)
    op.create_table(
        "repair",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("target", sa.Uuid(), nullable=False),
        sa.Column("target_kind", sa.String(), nullable=False),
        sa.Column("record_kind", sa.String(), nullable=True),
        sa.Column("applied_on", sa.Date(), nullable=False),
        sa.Column("decide_by", sa.Date(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decision", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["uscc"],
            ["enterprise.uscc"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("repair_by_enterprise", "repair", ["uscc", "applied_on", "id"], unique=False)
    op.create_index(
        "repair_in_review", "repair", ["target"], unique=True, postgresql_where=sa.text("state = 'in_review'")
    )
    op.create_table(
        "record_version",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"],
            ["record.id"],
        ),
        sa.PrimaryKeyConstraint("record_id", "version"),
    )
