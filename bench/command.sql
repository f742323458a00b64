-- What one accepted form writes, statement for statement, with the same sizes: the limit of a command on this database.
BEGIN;
SELECT pg_try_advisory_xact_lock(hashtextextended(gen_random_uuid()::text, 0));
SELECT gen_random_uuid() AS id, lpad(nextval('uscc_serial')::text, 18, '0') AS uscc \gset
SELECT body_hash, status, answer, headers FROM idempotency WHERE (caller, route, key) = ('anonymous', 'POST /v1/applications', :id::text);
INSERT INTO application (id, submitted_at, status, enterprise_name, form, decision, uscc) VALUES (:id::uuid, now(), 'registered', '上海青禾餐饮有限公司',
 '{"name": {"division": "上海", "trade_name": "青禾", "industry": "餐饮", "form": "有限公司"}, "registered_capital": "5000000.00", "capital_currency": "CNY", "investor_parties": ["8e3c7a16-5c3d-4a5f-9a38-0f8d0f6f0a11", "8e3c7a16-5c3d-4a5f-9a38-0f8d0f6f0a12"], "legal_representative": "8e3c7a16-5c3d-4a5f-9a38-0f8d0f6f0a13", "term": ["2026-02-01", "2046-01-31"]}',
 '{"outcome": "accepted", "judged_for": "2026-01-05", "policy_digest": "30be888c891894305405533bfa23f9b1b025dec05a604bc1ec78bcbb5ef9021c", "facts": {"scope": "national", "place": "310106012", "activities": ["6210", "5432"], "enterprise_type": "limited_company", "legal_representative_nationality": "DE", "treaty_claim": null, "investors": [{"kind": "legal", "country": "DE", "share": "60", "is_fie": false, "settled_abroad": false, "affiliate_group": null}, {"kind": "legal", "country": "CN", "share": "40", "is_fie": false, "settled_abroad": false, "affiliate_group": null}]}, "findings": []}',
 :uscc::text);
INSERT INTO party (party_id, application_id, role, kind, name, country) VALUES
 (gen_random_uuid(), :id::uuid, 'investor', 'legal', 'Gruenfeld Gastronomie GmbH', 'DE'),
 (gen_random_uuid(), :id::uuid, 'investor', 'legal', '上海禾苗商贸有限公司', 'CN'),
 (gen_random_uuid(), :id::uuid, 'legal_representative', 'natural', 'Anna Weber', 'DE');
INSERT INTO signature (application_id, round, field, way, digest, signed_by, signed_at) VALUES
 (:id::uuid, 1, 'investors.0', 'declared', repeat('0', 64), 'applicant-1', now()),
 (:id::uuid, 1, 'investors.1', 'declared', repeat('0', 64), 'applicant-1', now()),
 (:id::uuid, 1, 'legal_representative', 'declared', repeat('0', 64), 'applicant-1', now());
INSERT INTO enterprise (uscc, application_id, registered_on, name, enterprise_type, registered_capital, capital_currency, activities, area, legal_representative_nationality, version)
 VALUES (:uscc::text, :id::uuid, '2026-01-05', '上海青禾餐饮有限公司', 'limited_company', 5000000, 'CNY', '{6210,5432}', '310106012', 'DE', 1);
SELECT pg_advisory_xact_lock(hashtextextended(:id::text, 734));
SELECT id FROM name_held WHERE state = 'reserved' AND holder = 'applicant-1' AND full_name = :id::text AND until >= '2026-01-05' ORDER BY held_since LIMIT 1 FOR UPDATE;
SELECT full_name, state, until FROM name_held WHERE (trade = :id::text OR core = :id::text OR sound = :id::text) AND (industry IN ('餐饮', '') OR division = '62') AND (until IS NULL OR until >= '2026-01-05') LIMIT 50;
INSERT INTO name_held (id, state, holder, name, full_name, trade, core, sound, industry, division, held_since, application_id)
 VALUES (:id::uuid, 'applied', 'applicant-1', '{"form": "有限公司", "division": "上海", "industry": "餐饮", "trade_name": "青禾"}', :id::text, :id::text, :id::text, :id::text, '餐饮', '62', '2026-01-05', :id::uuid);
UPDATE name_held SET state = 'registered', uscc = :uscc::text, until = NULL WHERE application_id = :id::uuid;
INSERT INTO idempotency (caller, route, key, body_hash, status, answer, headers) VALUES ('anonymous', 'POST /v1/applications', :id::text, sha256('x'), 201,
 convert_to('{"id":"18108370-e369-4613-af09-eb494827b99b","status":"registered","uscc":"91310106MA0000015B","decision":{"outcome":"accepted","judged_for":"2026-01-05","policy_digest":"30be888c891894305405533bfa23f9b1b025dec05a604bc1ec78bcbb5ef9021c","findings":[]}}', 'UTF8'),
 '{"location": "/v1/applications/18108370-e369-4613-af09-eb494827b99b", "content-type": "application/json"}');
WITH counter AS (
 INSERT INTO outbox_counter AS c (subject, sequence) VALUES (:uscc::text, 1)
 ON CONFLICT (subject) DO UPDATE SET sequence = c.sequence + excluded.sequence RETURNING subject, sequence
)
INSERT INTO outbox (event_id, subject, sequence, type, time, correlation_id, causation_id, traceparent, data)
SELECT gen_random_uuid(), subject, sequence, 'registration.enterprise_registered.v1', now(), :id::text, NULL, '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
 convert_to('{"application_id":"18108370-e369-4613-af09-eb494827b99b","registered_on":"2026-01-05","enterprise_type":"limited_company","industry":"6210","activities":["6210","5432"],"area":"310106012","registered_capital":"5000000.00","capital_currency":"CNY","foreign_share":"60"}', 'UTF8')
FROM counter;
COMMIT;
