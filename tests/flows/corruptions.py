"""What is broken in a copy of a finished run's rows, and what the checker says of it."""

from __future__ import annotations

ALTERED = "convert_to(replace(convert_from(entry, 'utf8'), '201', '200'), 'utf8')"
FORGED = f"""
UPDATE audit SET entry = {ALTERED} WHERE number = 5;
DO $$
DECLARE one record; head bytea := (SELECT hash FROM audit WHERE number = 4);
BEGIN
    FOR one IN SELECT number, entry FROM audit WHERE number >= 5 ORDER BY number LOOP
        head := sha256(head || int8send(one.number) || one.entry);
        UPDATE audit SET hash = head WHERE number = one.number;
    END LOOP;
    UPDATE audit_head SET hash = head;
END $$
"""
"""The work of somebody who owns the database, and not the topics."""

# service, what is done to a copy of its database, the invariants broken by it, and a word of what is said about it.
CORRUPTIONS: dict[str, tuple[str, str, set[str], str]] = {
    "an application is gone": (
        "registration", "DELETE FROM application WHERE status = 'refused'", {"I1", "I4", "I8"}, "there is no such row"),
    "an enterprise is gone": (
        "registration", "DELETE FROM enterprise WHERE version = 3", {"I4"}, "there is no such enterprise"),
    "an enterprise differs from its events": (
        "registration", "UPDATE enterprise SET area = '310106099'", {"I4"}, "its events say"),
    "a change was counted twice": (
        "registration", "UPDATE enterprise SET version = version + 1", {"I4", "I6"}, "after 2 changes"),
    "an outbox row was never sent": (
        "registration", """INSERT INTO outbox (event_id, subject, sequence, type, time, correlation_id, data)
        SELECT gen_random_uuid(), subject, 99, type, time, '', data FROM outbox LIMIT 1""", {"I4"}, "is on no topic"),
    "an outbox row is gone": (
        "registration", "DELETE FROM outbox WHERE id = (SELECT min(id) FROM outbox)", {"I4"}, "no committed row"),
    "an outbox row was altered": (
        "registration", "UPDATE outbox SET data = data || ' '", {"I4"}, "differs from"),
    "an application stands in a state it cannot have": (
        "registration", "UPDATE application SET status = 'in_review' WHERE status = 'refused'",
        {"I1", "I6"}, "in_review, refused"),
    "a key was answered without keeping the answer": (
        "registration", "DELETE FROM idempotency WHERE route LIKE '%changes'", {"I1", "I8"}, "no answer is kept"),
    "a second effect of one key": (
        "registration", """INSERT INTO application (id, submitted_at, status, enterprise_name, form, decision, decided)
        SELECT gen_random_uuid(), submitted_at, status, enterprise_name, form, decision, decided
        FROM application WHERE status = 'refused'""", {"I4", "I8"}, "no key claims"),
    "a key that nobody was answered, and nothing audits": (
        "registration", """INSERT INTO idempotency SELECT caller, route, 'another', body_hash, status, answer
        FROM idempotency WHERE route LIKE '%changes' LIMIT 1""", {"I8", "I9"}, "not in the audit as often"),
    "an application that was decided is open again": (
        "registration", "UPDATE application SET decided = NULL WHERE status = 'refused'", {"I4", "I6"}, "not decided"),
    "an application decided by somebody else": (
        "registration", "UPDATE application SET decided = decided || '{\"by\": \"officer\"}' WHERE status = 'refused'",
        {"I4", "I6"}, "refused by officer after refused"),
    "an application in a round that nobody announced": (
        "registration", "UPDATE application SET round = 2 WHERE status = 'registered'", {"I4", "I6"}, "in round 2"),
    "an application that no officer is asked about": (
        "registration", "DELETE FROM work_item", {"I6"}, "no officer is asked"),
    "an application with something to correct and no day for it": (
        "registration", """UPDATE application SET corrections = '[{"field": "area", "words": ""}]'
        WHERE status = 'in_review'""", {"I4", "I6"}, "has no last day"),
    "an enterprise that left without a word": (
        "registration", "UPDATE enterprise SET deregistered_on = registered_on WHERE version = 3", {"I4", "I6"},
        "left the register, and no event says so"),
    "an activity suspended without a word": (
        "registration", """INSERT INTO suspension SELECT gen_random_uuid(), uscc, '1', activities, registered_on
        FROM enterprise WHERE version = 3""", {"I4"}, "suspended, and no event says so"),
    "an audit row was edited": (
        "registration", f"UPDATE audit SET entry = {ALTERED} WHERE number = 5", {"I9"}, "row 5 is not what was sealed"),
    "an audit row is gone": (
        "registration", "DELETE FROM audit WHERE number = 5", {"I9"}, "no audit row has the number 5"),
    "audit rows have changed places": (
        "registration", """UPDATE audit SET number = -number WHERE number IN (5, 6);
        UPDATE audit SET number = 11 + number WHERE number < 0""", {"I9"}, "row 5 is not what was sealed"),
    "the newest audit rows are gone": (
        "registration", """DELETE FROM audit WHERE number > 5;
        UPDATE audit_head SET count = 5, hash = (SELECT hash FROM audit WHERE number = 5)""",
        {"I9"}, "audit rows was published, they end at 5"),
    "the newest audit rows are gone, and the head says otherwise": (
        "registration", "DELETE FROM audit WHERE number > 5", {"I9"}, "its rows end at 5"),
    "the audit was written anew from a row on": (
        "registration", FORGED, {"I9"}, "another chain was published"),
    "an audit row is found under somebody else": (
        "registration", "UPDATE audit SET actor = 'nobody' WHERE number = 5", {"I9"}, "under what it does not say"),
    "an audited command that nobody sent": (
        "registration", """INSERT INTO audit (entry, actor, object) SELECT entry, actor, object FROM audit
        WHERE object LIKE '%changes' LIMIT 1""", {"I9"}, "is in the audit, and nobody did it"),
    "an identifier with a wrong check character": (
        "registration", "UPDATE enterprise SET uscc = overlay(uscc PLACING 'XX' FROM 17) WHERE version = 4",
        {"I4", "I6", "USCC"}, "check character"),
    "a fact is lost": (
        "risk", "UPDATE fact_sheet SET live = substr(live, 71)", {"I2"}, "lost"),
    "a fact is there twice": (
        "risk", "UPDATE fact_sheet SET past = past || substr(live, 1, 70)", {"I2"}, "there 2 times"),
    "a fact that nobody stated": (
        "risk", "UPDATE fact_sheet SET live = set_byte(live, 40, 77)", {"I2"}, "stated by no event"),
    "a mark that was not moved": (
        "risk", "UPDATE mark SET sequence = sequence - 1", {"I2"}, "stands at"),
    "a mark that remembers another event": (
        "risk", "UPDATE mark SET recent = set_byte(recent, length(recent) - 1, 7)", {"I2"}, "remembers another"),
    "records that were not read": (
        "risk", 'UPDATE "position" SET next_offset = next_offset - 1 WHERE partition = 3', {"I2"}, "stands at"),
    "a score is wrong": (
        "risk", "UPDATE profile SET score = score + 1", {"I5"}, "replayed"),
    "a class is wrong": (
        "risk", "UPDATE profile SET risk_class = 3", {"I5"}, "last announced"),
    "a date on which a score steps is forgotten": (
        "risk", "UPDATE profile SET next_step_on = NULL", {"I5"}, "until None"),
    "a step of a score that nothing will carry out": (
        "risk", "DELETE FROM due", {"I5"}, "is due never"),
    "a profile is gone": (
        "risk", "DELETE FROM profile", {"I5"}, "never scored"),
    "counters that have drifted": (
        "risk", "UPDATE counter SET enterprises = enterprises + 1", {"I5"}, "counted"),
    "a class noted as announced that was not": (
        "risk", "UPDATE profile SET announced_class = 3", {"I5"}, "noted as announced"),
    "a relative noted as told what nobody said": (
        "risk", "INSERT INTO related_signal SELECT uscc, 'related_serious_list', uscc, 1, since FROM tie LIMIT 1",
        {"I5"}, "said was None"),
    "a partition between two dates": (
        "risk", "UPDATE assessment SET moving_to = assessed_on + 1", {"I5"}, "between two dates"),
    "an unreadable record nobody buried": (
        "risk", "DELETE FROM dead_letter", {"I7"}, "is not buried"),
    "a dead letter without a cause": (
        "risk", "UPDATE dead_letter SET cause = ''", {"I7"}, "names no cause"),
    "a parked event without a cause": (
        "risk", "UPDATE parked SET error = NULL", {"I7"}, "names no cause"),
    "a parked event that was never on the topic": (
        "risk", "UPDATE parked SET id = gen_random_uuid() WHERE state = 'failed'", {"I2", "I7"}, "not the record"),
    "an event that waits though its turn has come": (
        "risk", "UPDATE parked SET state = 'waiting' WHERE state = 'failed'", {"I7"}, "its turn has come"),
    "an event settled by nobody": (
        "risk", "UPDATE parked SET state = 'dropped'", {"I2", "I7"}, "settled by nobody"),
}  # fmt: skip
