"""Named queries over watch lists. Whose a list is, and with whom it is shared, is asked in the query itself."""

COLUMNS = "id, owner, name, shared_with, version"
COUNTED = f"SELECT {COLUMNS}, (SELECT count(*) FROM watched WHERE list_id = w.id) AS enterprises FROM watch_list w"
SEEN = "(owner = $1 OR shared_with @> ARRAY[$1::varchar])"

ADD = f"""
INSERT INTO watch_list (id, owner, name, shared_with, version) VALUES ($1, $2, $3, '{{}}', 1)
ON CONFLICT (owner, name) DO NOTHING RETURNING {COLUMNS}, 0 AS enterprises
"""
LIST = f"""
{COUNTED} WHERE {SEEN} AND id > $2
    AND ($4::text IS NULL OR EXISTS (SELECT 1 FROM watched WHERE list_id = w.id AND uscc = $4)) ORDER BY id LIMIT $3
"""
ONE = f"{COUNTED} WHERE {SEEN} AND id = $2"
LOCKED = f"SELECT {COLUMNS} FROM watch_list WHERE owner = $1 AND id = $2 FOR UPDATE"
NAME_TAKEN = "SELECT EXISTS (SELECT 1 FROM watch_list WHERE owner = $1 AND name = $2 AND id <> $3)"
CHANGE = "UPDATE watch_list SET name = $2, shared_with = $3, version = version + 1 WHERE id = $1"
DELETE = "DELETE FROM watch_list WHERE id = $1"
IS_SCORED = "SELECT EXISTS (SELECT 1 FROM profile WHERE uscc = $1)"
WATCHED = "SELECT count(*) FROM watched WHERE list_id = $1"
WATCH = "INSERT INTO watched (list_id, uscc, added_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
UNWATCH = "DELETE FROM watched WHERE list_id = $1 AND uscc = $2"

ENTERPRISES = """
SELECT p.uscc, score, risk_class, assessed_on, division, area, foreign_invested, class_changed_on, w.added_at
FROM watched w JOIN profile p USING (uscc) JOIN assessment a USING (partition)
WHERE w.list_id = $1 AND w.uscc > $2 ORDER BY w.uscc LIMIT $3
"""
CHANGES = """
SELECT c.* FROM watched w CROSS JOIN LATERAL (
    SELECT position, uscc, at, assessed_on, before, after, score, reasons, scorecard_digest
    FROM class_change c WHERE c.uscc = w.uscc AND c.position < $3 AND c.at >= $2 ORDER BY position DESC LIMIT $4
) c WHERE w.list_id = $1 ORDER BY position DESC LIMIT $4
"""
