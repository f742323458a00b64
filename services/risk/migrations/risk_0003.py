"""Related parties"""

revision = "risk_0003"
down_revision = "risk_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled by the change that needs it."""
