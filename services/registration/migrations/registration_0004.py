"""Names that are held: reserved, applied for, registered, and those that are not free for a year yet."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "registration_0004"
down_revision = "registration_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "name_held",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=True),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("trade", sa.String(), nullable=False),
        sa.Column("core", sa.String(), nullable=False),
        sa.Column("sound", sa.String(), nullable=False),
        sa.Column("industry", sa.String(), nullable=False),
        sa.Column("division", sa.String(), nullable=False),
        sa.Column("held_since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("application_id", sa.Uuid(), nullable=True),
        sa.Column("uscc", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("application_id"),
        sa.UniqueConstraint("uscc"),
    )
    for column in ("trade", "core", "sound"):
        op.create_index(op.f(f"ix_name_held_{column}"), "name_held", [column])
    op.create_index(
        "name_held_reserved", "name_held", ["holder", "held_since", "id"],
        postgresql_where=sa.text("state = 'reserved'"),
    )  # fmt: skip
