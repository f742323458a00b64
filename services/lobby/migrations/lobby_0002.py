"""What risk says of relatives, beside the classes"""

import sqlalchemy as sa
from alembic import op

revision = "lobby_0002"
down_revision = "lobby_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Until now nothing but classes was kept here.
    op.add_column("risk_event", sa.Column("type", sa.Text(), nullable=False, server_default="risk.class_changed.v1"))
    op.alter_column("risk_event", "type", server_default=None)
