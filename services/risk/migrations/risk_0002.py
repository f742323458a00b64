"""Facts packed per enterprise, profiles and counters by what is asked for, class changes, the shadow"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "risk_0002"
down_revision = "risk_0001"
branch_labels = None
depends_on = None

READ_ANEW = """
DO $$ BEGIN
    IF to_regclass('position') IS NOT NULL THEN
        TRUNCATE position, mark, parked;
        DELETE FROM due;
    END IF;
END $$
"""


def upgrade() -> None:
    # What was read is read anew from the topics, which keep everything; the outbox knows what was announced.
    op.execute(READ_ANEW)
    for table in ("fact", "counter", "profile"):
        op.drop_table(table)
    op.execute("DELETE FROM assessment")
    op.drop_column("assessment", "moving")
    op.add_column("assessment", sa.Column("moving_to", sa.Date(), nullable=True))
    op.create_table(
        "fact_sheet",
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("live", sa.LargeBinary(), nullable=False),
        sa.Column("past", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("uscc"),
    )
    # Packed facts hardly shrink: leave them as they are, so that reading all of them costs no more than their bytes.
    op.execute("ALTER TABLE fact_sheet ALTER live SET STORAGE EXTERNAL, ALTER past SET STORAGE EXTERNAL")
    for prefix in ("", "shadow_"):
        _create_profile(prefix)
        _create_counter(f"{prefix}counter")
    op.create_table("daily_counter", sa.Column("on_date", sa.Date(), nullable=False), *_counter_columns(),
                    sa.PrimaryKeyConstraint("dimension", "key", "on_date", "partition", "risk_class"))  # fmt: skip
    op.create_table(
        "shadow_state",
        sa.Column("only", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("only"),
    )
    op.create_table(
        "class_change",
        sa.Column("position", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=False),
        sa.Column("before", sa.SmallInteger(), nullable=True),
        sa.Column("after", sa.SmallInteger(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("scorecard_digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_index("class_change_by_enterprise", "class_change", ["uscc", "position"], unique=False)


def _create_profile(prefix: str) -> None:
    name = f"{prefix}profile"
    op.create_table(
        name,
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("risk_class", sa.SmallInteger(), nullable=False),
        sa.Column("announced_class", sa.SmallInteger(), nullable=False),
        sa.Column("next_step_on", sa.Date(), nullable=True),
        sa.Column("reasons", sa.BigInteger(), nullable=False),
        sa.Column("division", sa.SmallInteger(), nullable=True),
        sa.Column("area", sa.String(), nullable=True),
        sa.Column("foreign_invested", sa.Boolean(), nullable=True),
        sa.Column("class_changed_on", sa.Date(), nullable=True),
        sa.Column("scored_in", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uscc"),
    )
    op.create_index(f"{name}_by_class", name, ["risk_class", "uscc"], unique=False)
    op.create_index(f"{name}_by_step", name, ["partition", "next_step_on"], unique=False)
    # A profile is rewritten often and in place: leave room on its page, so that no index is touched.
    op.execute(f"ALTER TABLE {name} SET (fillfactor = 50)")


def _counter_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("dimension", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("risk_class", sa.SmallInteger(), nullable=False),
        sa.Column("enterprises", sa.BigInteger(), nullable=False),
    ]


def _create_counter(name: str) -> None:
    op.create_table(name, *_counter_columns(), sa.PrimaryKeyConstraint("partition", "dimension", "key", "risk_class"))
