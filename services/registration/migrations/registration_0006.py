"""A registration that one officer has proposed and another is to countersign."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "registration_0006"
down_revision = "registration_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("application", sa.Column("proposed", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
