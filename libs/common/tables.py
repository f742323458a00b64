"""The tables that every service's database has. Rows are read and written by the modules named beside them."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID

metadata = sa.MetaData()
Time = sa.DateTime(timezone=True)


def _table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, metadata, *columns)


def _required(name: str, kind: sa.types.TypeEngine[Any] | type, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default=sa.text(default) if default is not None else None)


# outbox, relay
_table("outbox_counter", sa.Column("subject", sa.Text, primary_key=True), _required("sequence", sa.BigInteger))
_table(
    "outbox",
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    _required("event_id", UUID(as_uuid=True)),
    _required("subject", sa.Text),
    _required("sequence", sa.BigInteger),
    _required("type", sa.Text),
    _required("time", Time),
    _required("correlation_id", sa.Text),
    sa.Column("causation_id", UUID(as_uuid=True)),
    sa.Column("traceparent", sa.Text),
    _required("data", BYTEA),
    _required("adopted", sa.Boolean, "false"),
    _required("created_at", Time, "now()"),
    sa.UniqueConstraint("event_id"),
    sa.UniqueConstraint("subject", "sequence"),
)
_table(
    "relay_progress",
    sa.Column("only_row", sa.Boolean, primary_key=True, server_default=sa.text("true")),
    _required("high", sa.BigInteger, "0"),
    _required("missing", JSONB, "'{}'"),
    sa.CheckConstraint("only_row", name="relay_progress_has_one_row"),
)

# inbox, parked
_table(
    "position",
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    _required("next_offset", sa.BigInteger),
)
_table(
    "mark",
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    _required("sequence", sa.BigInteger),
    _required("recent", BYTEA),
)
_table(
    "parked",
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True),
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _required("state", sa.Text),
    _required("topic", sa.Text),
    _required("partition", sa.Integer),
    _required("offset", sa.BigInteger),
    _required("type", sa.Text),
    _required("time", sa.Text),
    _required("correlation_id", sa.Text),
    sa.Column("traceparent", sa.Text),
    _required("data", BYTEA),
    sa.Column("error", sa.Text),
    _required("attempts", sa.Integer, "0"),
    sa.Column("retry_at", Time),
    _required("parked_at", Time, "now()"),
    sa.Column("failed_at", Time),
    sa.Column("disposition", sa.Text),
    sa.Column("disposed_by", sa.Text),
    sa.Column("disposed_why", sa.Text),
    sa.Index("parked_open", "topic", "partition", postgresql_where=sa.text("state IN ('waiting','failed','forked')")),
)
_table(
    "dead_letter",
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("offset", sa.BigInteger, primary_key=True),
    _required("cause", sa.Text),
    sa.Column("key", BYTEA),
    sa.Column("value", BYTEA),
    _required("received_at", Time, "now()"),
)
_table(
    "consumer_resumed",
    sa.Column("at", Time, primary_key=True, server_default=sa.text("now()")),
    _required("by", sa.Text),
    _required("why", sa.Text),
)

# due
_table(
    "due",
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    _required("on_date", sa.Date),
    _required("attempts", sa.Integer, "0"),
    sa.Column("retry_at", Time),
    sa.Column("error", sa.Text),
    sa.Index("due_by_date", "on_date"),
)

# idempotency
_table(
    "idempotency",
    sa.Column("caller", sa.Text, primary_key=True),
    sa.Column("route", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    _required("body_hash", BYTEA),
    _required("status", sa.Integer),
    _required("answer", BYTEA),
    _required("headers", JSONB, "'{}'"),
    _required("at", Time, "now()"),
    sa.Index("idempotency_by_age", "at"),
)

# audit
_table(
    "audit",
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    _required("entry", BYTEA),
    sa.Column("actor", sa.Text),
    _required("object", sa.Text),
    _required("at", Time, "now()"),
    sa.Column("number", sa.BigInteger, unique=True),
    sa.Column("hash", BYTEA),
    sa.Index("audit_unsealed", "id", postgresql_where=sa.text("number IS NULL")),
    sa.Index("audit_by_actor", "actor", "id"),
    sa.Index("audit_by_object", sa.text("string_to_array(object, '/')"), postgresql_using="gin"),
)
_table(
    "audit_head",
    sa.Column("only_row", sa.Boolean, primary_key=True, server_default=sa.text("true")),
    _required("count", sa.BigInteger, "0"),
    _required("hash", BYTEA),
    _required("published", sa.BigInteger, "0"),
    sa.CheckConstraint("only_row", name="audit_head_has_one_row"),
)

# evidence
_table(
    "recovery_report",
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _required("kind", sa.Text),
    _required("at", Time, "now()"),
    _required("document", BYTEA),
    sa.Column("jws", sa.Text),
    sa.Index("recovery_report_by_time", "at", "id"),
)

# work
_table(
    "work_item",
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    _required("queue", sa.Text),
    _required("subject", sa.Text),
    _required("correlation_id", sa.Text),
    sa.Column("department", sa.Text),
    _required("opened_on", sa.Date),
    _required("working_days", sa.Integer),
    _required("due_on", sa.Date),
    _required("provisional", sa.Boolean, "false"),
    sa.Column("claimed_by", sa.Text),
    sa.Column("claimed_at", Time),
    sa.Column("escalated_on", sa.Date),
    sa.Column("extension", sa.Text),
    sa.Column("closed_at", Time),
    sa.Column("outcome", sa.Text),
    _required("version", sa.Integer, "1"),
    sa.Index("work_item_open", "queue", "subject", unique=True, postgresql_where=sa.text("closed_at IS NULL")),
    sa.Index("work_item_by_due", "queue", "due_on", "id", postgresql_where=sa.text("closed_at IS NULL")),
    sa.Index("work_item_closed", "queue", "due_on", "id", postgresql_where=sa.text("closed_at IS NOT NULL")),
    sa.Index("work_item_held", "claimed_by", "due_on", "id", postgresql_where=sa.text("closed_at IS NULL")),
)
_table(
    "work_absence",
    sa.Column("officer", sa.Text, primary_key=True),
    sa.Column("from_on", sa.Date, primary_key=True),
    _required("to_on", sa.Date),
    _required("stand_in", sa.Text),
)


def with_common_tables(own: sa.MetaData) -> sa.MetaData:
    """One metadata with a service's own tables and these, as its database must look."""
    together = sa.MetaData()
    for table in (*metadata.sorted_tables, *own.sorted_tables):
        table.to_metadata(together)
    return together
