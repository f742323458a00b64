"""Audit and work items"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "common_0002"
down_revision = "common_0001"
branch_labels = None
depends_on = None

ONLY_GROWS = (
    """
    CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF OLD.number IS NULL AND NEW.number IS NOT NULL AND NEW.hash IS NOT NULL
                AND (NEW.id, NEW.entry, NEW.actor, NEW.object, NEW.at)
                    IS NOT DISTINCT FROM (OLD.id, OLD.entry, OLD.actor, OLD.object, OLD.at)
            THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION 'audit rows are sealed once, never changed, never deleted' USING ERRCODE = '42501';
    END $$
    """,
    """
    CREATE TRIGGER audit_rows_stay BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_only_grows()
    """,
    """
    CREATE TRIGGER audit_rows_begin_unsealed BEFORE INSERT ON audit
    FOR EACH ROW WHEN (NEW.number IS NOT NULL OR NEW.hash IS NOT NULL) EXECUTE FUNCTION audit_only_grows()
    """,
    """
    CREATE TRIGGER audit_stays BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()
    """,
)
"""The one change that a row may see is its sealing."""


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("entry", postgresql.BYTEA(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("hash", postgresql.BYTEA(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("audit_unsealed", "audit", ["id"], unique=False, postgresql_where=sa.text("number IS NULL"))
    op.create_index("audit_by_actor", "audit", ["actor", "id"], unique=False)
    op.create_index(
        "audit_by_object", "audit", [sa.text("string_to_array(object, '/')")], unique=False, postgresql_using="gin"
    )
    op.create_table(
        "audit_head",
        sa.Column("only_row", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("hash", postgresql.BYTEA(), nullable=False),
        sa.Column("published", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("only_row", name="audit_head_has_one_row"),
        sa.PrimaryKeyConstraint("only_row"),
    )
    op.execute("INSERT INTO audit_head (hash) VALUES (decode(repeat('00', 32), 'hex'))")
    for statement in ONLY_GROWS:
        op.execute(statement)
    op.create_table(
        "work_absence",
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("stand_in", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("officer", "from_on"),
    )
    op.create_table(
        "work_item",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("working_days", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated_on", sa.Date(), nullable=True),
        sa.Column("extension", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "work_item_by_due",
        "work_item",
        ["queue", "due_on", "id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "work_item_closed",
        "work_item",
        ["queue", "due_on", "id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NOT NULL"),
    )
    op.create_index(
        "work_item_held",
        "work_item",
        ["claimed_by", "due_on", "id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "work_item_open",
        "work_item",
        ["queue", "subject"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
