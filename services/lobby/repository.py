"""Named queries of the lobby. What belongs to somebody is asked for with `$n`, the owner's account; null is staff."""

KNOW_APPLICATIONS = """
INSERT INTO application AS a (application_id, filed_by, uscc)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])
ON CONFLICT (application_id) DO UPDATE
SET filed_by = coalesce(excluded.filed_by, a.filed_by), uscc = coalesce(excluded.uscc, a.uscc)
"""
KNOW_ENTERPRISES = """
INSERT INTO enterprise AS e (uscc, filed_by, application_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[])
ON CONFLICT (uscc) DO UPDATE
SET filed_by = coalesce(excluded.filed_by, e.filed_by), application_id = excluded.application_id
"""
ADD_ENTRIES = """
INSERT INTO timeline_entry (event_id, source, type, uscc, application_id, time, codes)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[], $7::jsonb[])
ON CONFLICT (event_id) DO NOTHING
"""
ADD_RISK_EVENTS = """
INSERT INTO risk_event (event_id, uscc, time, codes, type)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::jsonb[], $5::text[])
ON CONFLICT (event_id) DO NOTHING
"""
OF_APPLICATION = """
timeline_entry t WHERE t.application_id = $1
    OR t.uscc = (SELECT a.uscc FROM application a WHERE a.application_id = $1)
"""
TIMELINE_OF_APPLICATION = f"""
SELECT source, type, time, codes FROM {OF_APPLICATION} ORDER BY time DESC, n DESC LIMIT 200
"""
NEWEST_OF_APPLICATION = f"SELECT coalesce(max(n), 0) FROM {OF_APPLICATION}"
OWNS_APPLICATION = """
SELECT EXISTS (SELECT 1 FROM application WHERE application_id = $1 AND ($2::text IS NULL OR filed_by = $2))
"""
TIMELINE_OF_ENTERPRISE = """
SELECT source, type, time, codes FROM timeline_entry WHERE uscc = $1 ORDER BY time DESC, n DESC LIMIT 200
"""
RISK_HISTORY = """
SELECT event_id, time, codes FROM risk_event WHERE uscc = $1 AND type LIKE 'risk.class@_changed.%' ESCAPE '@'
ORDER BY time, event_id
"""
EVENTS = """
SELECT event_id, source, type, time, codes FROM timeline_entry WHERE event_id = ANY($1::uuid[])
UNION ALL
SELECT event_id, '/jingan/risk', type, time, codes FROM risk_event WHERE event_id = ANY($1::uuid[])
"""
OF_NOBODY = """
SELECT source, type, time, codes FROM timeline_entry WHERE uscc IS NULL AND application_id IS NULL
ORDER BY time DESC, n DESC LIMIT 20
"""
APPLICATION_OF = "SELECT application_id FROM enterprise WHERE uscc = $1 AND ($2::text IS NULL OR filed_by = $2)"

OPEN_SESSION = "INSERT INTO browser_session (id_hash, content) VALUES ($1, $2::jsonb)"
READ_SESSION = """
UPDATE browser_session SET seen_at = now()
WHERE id_hash = $1 AND seen_at > now() - interval '30 minutes' RETURNING content
"""
SESSION_LIVES = """
SELECT EXISTS (SELECT 1 FROM browser_session WHERE id_hash = $1 AND seen_at > now() - interval '30 minutes')
"""
KEEP_IN_SESSION = "UPDATE browser_session SET content = $2::jsonb WHERE id_hash = $1"
CLOSE_SESSION = "DELETE FROM browser_session WHERE id_hash = $1"
FORGET_SESSIONS = "DELETE FROM browser_session WHERE seen_at < now() - interval '30 minutes'"
