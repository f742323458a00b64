"""Who signs a form, and by what they did."""

import sqlalchemy as sa
from alembic import op

revision = "registration_0012"
down_revision = "registration_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("application", sa.Column("sign_by", sa.Date(), nullable=True))
    op.create_table(
        "signature",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=True),
        sa.Column("way", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("signed_by", sa.String(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"]),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"]),
        sa.PrimaryKeyConstraint("application_id", "round", "field"),
    )
    op.create_index(
        "signature_waited_for", "signature", ["account", "application_id", "field"],
        postgresql_where=sa.text("signed_at IS NULL AND account IS NOT NULL"),
    )  # fmt: skip
