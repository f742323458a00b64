"""The rows that the lobby owns: what it has heard of each case and enterprise, and who is signed in.

All but `browser_session` is a projection of the topics and can be made anew from them.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

metadata = sa.MetaData()
Time = sa.DateTime(timezone=True)

application = sa.Table(
    "application",
    metadata,
    sa.Column("application_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("filed_by", sa.Text),
    sa.Column("uscc", sa.Text),
)
enterprise = sa.Table(
    "enterprise",
    metadata,
    sa.Column("uscc", sa.Text, primary_key=True),
    sa.Column("filed_by", sa.Text),
    sa.Column("application_id", UUID(as_uuid=True), nullable=False),
)
timeline_entry = sa.Table(
    "timeline_entry",
    metadata,
    sa.Column("event_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("n", sa.BigInteger, sa.Identity(), nullable=False, unique=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("uscc", sa.Text),
    sa.Column("application_id", UUID(as_uuid=True)),
    sa.Column("time", Time, nullable=False),
    sa.Column("codes", JSONB, nullable=False),
    sa.Index("timeline_entry_by_enterprise", "uscc", "time"),
    sa.Index("timeline_entry_by_application", "application_id", "time"),
)
# Apart from the timeline, so that no page of an applicant can come upon it.
risk_event = sa.Table(
    "risk_event",
    metadata,
    sa.Column("event_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("uscc", sa.Text, nullable=False),
    sa.Column("time", Time, nullable=False),
    sa.Column("codes", JSONB, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Index("risk_event_by_enterprise", "uscc", "time"),
)
browser_session = sa.Table(
    "browser_session",
    metadata,
    sa.Column("id_hash", sa.LargeBinary, primary_key=True),
    sa.Column("content", JSONB, nullable=False),
    sa.Column("opened_at", Time, nullable=False, server_default=sa.text("now()")),
    sa.Column("seen_at", Time, nullable=False, server_default=sa.text("now()")),
    sa.Index("browser_session_by_age", "seen_at"),
)
