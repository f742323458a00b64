"""How far the bulk scoring of a shadow has come; classes that differ from the announced ones, by partition"""

import sqlalchemy as sa
from alembic import op

revision = "risk_0007"
down_revision = "risk_0006"
branch_labels = None
depends_on = None

DIFFERS = sa.text("risk_class <> announced_class")


def upgrade() -> None:
    # Nothing has scored in bulk so far: a shadow is begun anew.
    op.execute("UPDATE scorecard SET scored = 0, to_score = NULL, scored_at = NULL WHERE state = 'shadow'")
    op.drop_table("shadow_state")
    op.create_table(
        "shadow_state",
        sa.Column("only", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("behind", sa.String(), nullable=False),
        sa.Column("began_in", sa.BigInteger(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("only"),
    )
    for name in ("profile", "shadow_profile"):
        op.create_index(
            f"{name}_by_difference", name, ["partition", "announced_class", "risk_class", "uscc"],
            postgresql_where=DIFFERS,
        )  # fmt: skip
