"""The history of enterprises on two clocks. What the register holds today is taken over; the changes before it stand in
the record of changes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "registration_0009"
down_revision = "registration_0008"
branch_labels = None
depends_on = None

JSON = postgresql.JSONB(astext_type=sa.Text())
TIME = sa.DateTime(timezone=True)

TAKE_OVER = """
INSERT INTO enterprise_span (uscc, number, valid_from, recorded_at, because, cause, content)
SELECT e.uscc, 1, e.registered_on, coalesce(a.submitted_at, e.registered_on), 'taken_over',
    coalesce(e.application_id, gen_random_uuid()), jsonb_build_object(
    'name', e.name, 'enterprise_type', e.enterprise_type, 'registered_capital', e.registered_capital::text,
    'capital_currency', e.capital_currency, 'capital', e.capital, 'activities', to_jsonb(e.activities),
    'area', e.area, 'legal_representative_nationality', e.legal_representative_nationality, 'status',
    CASE WHEN e.withdrawn_on IS NOT NULL THEN 'withdrawn' WHEN e.deregistered_on IS NOT NULL THEN 'deregistered'
        ELSE 'registered' END)
FROM enterprise e LEFT JOIN application a ON a.id = e.application_id
"""


def upgrade() -> None:
    op.create_table(
        "enterprise_span",
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("superseded_at", TIME, nullable=True),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("cause", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("content", JSON, nullable=False),
        sa.ForeignKeyConstraint(["uscc"], ["enterprise.uscc"]),
        sa.PrimaryKeyConstraint("uscc", "number"),
    )
    op.create_table(
        "history_correction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("corrected_on", sa.Date(), nullable=False),
        sa.Column("officer", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["uscc"], ["enterprise.uscc"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_history_correction_uscc"), "history_correction", ["uscc"])
    op.execute(TAKE_OVER)
