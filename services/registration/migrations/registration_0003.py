"""Names are found by a part of them: an index over the pairs of characters that they hold, as Chinese has no words."""

from alembic import op

revision = "registration_0003"
down_revision = "registration_0002"
branch_labels = None
depends_on = None

NAME_GRAMS = """
CREATE FUNCTION name_grams(text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT substr($1, n, 2)) FROM generate_series(1, greatest(length($1) - 1, 1)) n
$$
"""


def upgrade() -> None:
    op.execute(NAME_GRAMS)
    op.execute("CREATE INDEX application_name_grams ON application USING gin (name_grams(lower(enterprise_name)))")
    op.execute("CREATE INDEX enterprise_name_grams ON enterprise USING gin (name_grams(lower(name)))")
