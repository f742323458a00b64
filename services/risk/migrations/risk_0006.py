"""Ties, burdens and what relatives were told of them"""

import sqlalchemy as sa
from alembic import op

revision = "risk_0006"
down_revision = "risk_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tie",
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("object", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "role", "object"),
    )
    op.create_index("tie_by_object", "tie", ["object"])
    op.create_table(
        "shared_address",
        sa.Column("address", sa.Uuid(), nullable=False),
        sa.Column("enterprises", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("address"),
    )
    op.create_table(
        "burden",
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("indicator", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "indicator"),
    )
    op.create_table(
        "related_signal",
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("indicator", sa.String(), nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "indicator", "record"),
    )
    op.create_index("related_signal_by_record", "related_signal", ["record"])
