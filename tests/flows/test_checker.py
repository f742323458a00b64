"""The outside checker finds nothing in a finished run, and finds each thing that is then broken in a copy of it."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import json
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from demo.clients import Window
from deploy.local.issuer import token
from tests.checker import Attempt, Report, Target, check, commands
from tests.checker.identifiers import faults
from tests.flows.copies import copied
from tests.spine import Spine, eventually, form

PARTITIONS = 12
A_YEAR_LATER = date(2027, 1, 6)


@dataclass(frozen=True, slots=True)
class Finished:
    """A run whose services have stopped: three enterprises and a form each of the other answers; a year has passed; one
    record was unreadable, and the last enterprise has an event of a version that risk does not know, and one behind it.
    """

    spine: Spine
    attempts: tuple[Attempt, ...]
    answers: dict[str, dict[str, Any]]
    busy: Report
    """Found while forms and changes still came in."""
    alive: Report
    """Found at rest, before the services stopped."""

    @property
    def target(self) -> Target:
        return Target(
            self.spine.stack.bootstrap_servers, self.spine.stack.database_url, self.spine.namespace, patience=2
        )


def target_of(spine: Spine, **more: Any) -> Target:
    stack = spine.stack
    return Target(stack.bootstrap_servers, stack.database_url, spine.namespace, **{"patience": 5.0, **more})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def finished(spine: Spine) -> Finished:
    spine.up("registration", "risk")
    urls = {name: process.url for name, process in spine.processes.items()}
    async with Window.opened(urls["registration"], urls["risk"]) as clients:
        codes = [(await clients.submit(form(), clicks=2))["uscc"] for _ in range(3)]
        await clients.submit(form(activities=["0422"]))
        await clients.submit(form(activities=["6311"]))
        for uscc in codes:
            await clients.change(uscc, {"area": "310106013"})
            await clients.change(uscc, {"registered_capital": "50000000.00", "capital_currency": "CNY"})
        shown = {"urls": urls, "tokens": {"risk": token("auditor-1")}}
        busy = await _checked_while_busy(spine, clients, codes[1], shown)
        await _say_something_unreadable(spine)
        await _say_something_too_new(spine, codes[-1])
        await clients.change(codes[-1], {"area": "310106014"})
        await eventually(lambda: _parked(spine, 2))
        await spine.travel(A_YEAR_LATER)
        alive = await check(target_of(spine, **shown), clients.attempts)
        answers = {uscc: await clients.standing(uscc) for uscc in codes}
    for process in spine.processes.values():
        process.stop()
    return Finished(spine, tuple(clients.attempts), answers, busy, alive)


async def _checked_while_busy(spine: Spine, clients: Window, uscc: str, shown: dict[str, Any]) -> Report:
    async def applicant() -> None:
        for area in ("310106013", "310106014", "310106012", "310106013"):
            await clients.submit(form(activities=["0422"]))
            await clients.change(uscc, {"area": area})

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(applicant())
        return await check(target_of(spine, **shown), tuple(clients.attempts))


async def _say_something_unreadable(spine: Spine) -> None:
    async with _producer(spine) as producer:
        await producer.send_and_wait(f"{spine.namespace}registration.events", b"{}", key=b"nobody", partition=3)


async def _say_something_too_new(spine: Spine, uscc: str) -> None:
    """As a newer registration would: through its outbox."""
    async with spine.database("registration") as connection:
        await connection.execute(
            """
            WITH counter AS (UPDATE outbox_counter SET sequence = sequence + 1 WHERE subject = $1 RETURNING sequence)
            INSERT INTO outbox (event_id, subject, sequence, type, time, correlation_id, data)
            SELECT gen_random_uuid(), $1, sequence, $2, now(), 'test', '{}' FROM counter
            """,
            uscc,
            "registration.enterprise_changed.v9",
        )


async def _parked(spine: Spine, count: int) -> bool:
    async with spine.database("risk") as connection:
        return bool(await connection.fetchval("SELECT count(*) = $1 FROM parked", count))


@asynccontextmanager
async def _producer(spine: Spine) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=spine.stack.bootstrap_servers)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


def test_nothing_is_found_in_a_run_that_went_well(finished: Finished) -> None:
    assert finished.alive.violations == ()
    assert finished.alive.events["registration"] == 56  # 3 registered, 19 changed, 1 too new, 17 filed, 16 decided
    idle = {one.sentence for one in finished.alive.checks if not one.looked_at}
    assert idle == {"each event has its reaction in the other service once"}, "neither hears the other's reactions"


def test_nothing_is_found_while_the_services_are_busy(finished: Finished) -> None:
    assert finished.busy.violations == ()
    assert finished.busy.events["registration"] < finished.alive.events["registration"]


async def test_rows_and_topics_tell_the_same_after_the_services_have_stopped(finished: Finished) -> None:
    assert (await check(finished.target, finished.attempts)).violations == ()


@pytest.mark.parametrize(("told", "code"), [("as it was", 0), ("with a lost command", 1)])
async def test_the_command_says_so_by_its_exit_code(finished: Finished, told: str, code: int, tmp_path: Path) -> None:
    attempts = [*finished.attempts, *([_lost(finished)] if code else [])]
    commands.dump(attempts, tmp_path / "commands.ndjson")
    target = finished.target

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.checker", "--bootstrap", target.bootstrap_servers, "--database",
        target.database_url, "--namespace", target.namespace, "--services", *target.services,
        "--commands", str(tmp_path / "commands.ndjson"), "--json",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, _ = await process.communicate()

    assert process.returncode == code
    assert (json.loads(printed)["violations"] > 0) == bool(code)


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
        "risk", "DELETE FROM fact WHERE indicator = 'industry_risk'", {"I2"}, "lost"),
    "a fact is there twice": (
        "risk", """INSERT INTO fact SELECT subject, source, sequence, 99, indicator, legal_date, value, record_id,
        event_id FROM fact WHERE indicator = 'newly_registered'""", {"I2"}, "there 2 times"),
    "a fact that nobody stated": (
        "risk", "UPDATE fact SET value = 1 WHERE indicator = 'registered_capital'", {"I2"}, "stated by no event"),
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
    "a partition between two dates": (
        "risk", "UPDATE assessment SET moving = true", {"I5"}, "between two dates"),
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


@pytest.mark.parametrize(("service", "sql", "broken", "said"), CORRUPTIONS.values(), ids=CORRUPTIONS)
async def test_what_is_broken_in_a_copy_of_the_rows_is_found(
    finished: Finished, service: str, sql: str, broken: set[str], said: str
) -> None:
    async with copied(finished.target, service, sql) as target:
        report = await check(target, finished.attempts)

    assert report.broken == broken
    assert any(said in violation for violation in report.violations), report.violations


async def test_an_acknowledged_command_that_left_nothing_is_found(finished: Finished) -> None:
    report = await check(finished.target, [*finished.attempts, _lost(finished)])

    assert report.broken == {"I1", "I8", "I9"}
    assert any("there is no such row" in violation for violation in report.violations)


def _lost(finished: Finished) -> Attempt:
    acknowledged = next(one for one in finished.attempts if one.acknowledged)
    answer = (acknowledged.answer or "").replace(acknowledged.answered["id"], "00000000-0000-4000-8000-000000000000")
    return dataclasses.replace(acknowledged, key="lost", answer=answer)


async def test_two_answers_to_one_key_are_found(finished: Finished) -> None:
    acknowledged = next(one for one in finished.attempts if one.acknowledged)
    differently = dataclasses.replace(acknowledged, answer=f"{acknowledged.answer} ")

    report = await check(finished.target, [*finished.attempts, differently])

    assert report.broken == {"I8"}
    assert "answered in different ways" in report.violations[0]


async def test_an_answer_that_is_not_what_the_events_say_is_found(finished: Finished) -> None:
    answers = {uscc: {**answer, "score": answer["score"] + 1} for uscc, answer in finished.answers.items()}

    with answering(answers) as url:
        report = await check(dataclasses.replace(finished.target, urls={"risk": url}), finished.attempts)

    assert report.broken == {"I5"}
    assert "answered" in report.violations[0]


@contextmanager
def answering(answers: dict[str, dict[str, Any]]) -> Iterator[str]:
    """A service that gives these answers of risk."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(answers[self.path.split("/")[3]]).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


Records = list[Any]
"""Records of one partition, in their order; distorted are those of one enterprise."""


def _repeated(records: Records) -> Records:
    """Each event again, at the end, as a relay may say it after a crash."""
    return records + records


def _swapped(records: Records) -> Records:
    return [records[1], records[0], *records[2:]]


def _with_a_hole(records: Records) -> Records:
    """The second event is another time the first: what it said is lost on the way."""
    return [records[0], records[0], *records[2:]]


def _forked(records: Records) -> Records:
    return [*records, _altered(records[1], "ce_id", b"00000000-0000-4000-8000-000000000000")]


def _of_nobody(records: Records) -> Records:
    return [*records, _altered(_altered(records[0], "ce_subject", b"nobody"), "ce_id", b"0" * 32)]


def _announced_wrongly(records: Records) -> Records:
    return [*records[:-1], _saying(records[-1], b'"risk_class":"A"', b'"risk_class":"C"')]


def _from_another_class(records: Records) -> Records:
    return [*records[:-1], _saying(records[-1], b'"before":"B"', b'"before":"D"')]


def _saying(record: Any, this: bytes, that: bytes) -> Any:
    return dataclasses.replace(record, value=record.value.replace(this, that))


def _altered(record: Any, name: str, value: bytes) -> Any:
    headers = [(n, value if n == name else old) for n, old in record.headers]
    return dataclasses.replace(record, headers=headers, key=dict(headers)["ce_subject"])


# topic, what is done to a partition that holds one enterprise's events, the invariants broken, a word of what is said.
DISTORTIONS: dict[str, tuple[str, Callable[[Records], Records], set[str], str]] = {
    "events said twice": ("registration", _repeated, set(), ""),
    "two events in the wrong order": ("registration", _swapped, {"I3"}, "was expected next"),
    "an event lost on the way": ("registration", _with_a_hole, {"I1", "I2", "I3", "I4"}, "is on no topic"),
    "two events with one sequence": ("registration", _forked, {"I2", "I3", "I4"}, "another event has this sequence"),
    "an event that nobody said": ("registration", _of_nobody, {"I2", "I4", "I5", "USCC"}, "no committed row says it"),
    "a class announced wrongly": ("risk", _announced_wrongly, {"I4", "I5"}, "last announced C"),
    "a class left that was not entered": ("risk", _from_another_class, {"I4", "I6"}, "from D to A after B"),
}  # fmt: skip


@pytest.mark.parametrize(("topic", "distort", "broken", "said"), DISTORTIONS.values(), ids=DISTORTIONS)
async def test_what_is_broken_in_a_copy_of_the_topics_is_found(
    finished: Finished, topic: str, distort: Callable[[Records], Records], broken: set[str], said: str
) -> None:
    async with distorted(finished, topic, distort) as target:
        report = await check(target, finished.attempts)

    assert report.broken == broken, report.violations
    assert any(said in violation for violation in report.violations) or not said


@asynccontextmanager
async def distorted(finished: Finished, topic: str, distort: Callable[[Records], Records]) -> AsyncIterator[Target]:
    """The run on a copy of its topics, in which one enterprise's events are altered; risk has read all of it."""
    spine, copy = finished.spine, f"{finished.spine.namespace}copy_"
    names = {"registration": "registration.events", "risk": "risk.events", "heads": "audit.heads"}
    topics = {name: await _read(spine, f"{spine.namespace}{full}") for name, full in names.items()}
    one = next(iter(finished.answers)).encode()
    records = next(records for records in topics[topic].values() if any(record.key == one for record in records))
    its_own = distort([record for record in records if record.key == one])
    records[:] = [*(record for record in records if record.key != one), *its_own]
    admin = AIOKafkaAdminClient(bootstrap_servers=spine.stack.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(f"{copy}{full}", PARTITIONS, 1) for full in names.values()])
        async with _producer(spine) as producer:
            for name, partitions in topics.items():
                for record in (record for records in partitions.values() for record in records):
                    await producer.send(
                        f"{copy}{names[name]}", record.value, key=record.key, headers=list(record.headers),
                        partition=record.partition,
                    )  # fmt: skip
            await producer.flush()
        moved = "; ".join(
            [f"UPDATE {table} SET topic = '{copy}registration.events'" for table in ("parked", "dead_letter")]
            + [f"UPDATE position SET next_offset = {len(records)}, topic = '{copy}registration.events' "
               f"WHERE topic = '{spine.namespace}registration.events' AND partition = {number}"
               for number, records in topics["registration"].items()]
        )  # fmt: skip
        async with copied(finished.target, "risk", moved) as target:
            databases = {"registration": f"{spine.namespace}registration", **target.databases}
            yield dataclasses.replace(target, namespace=copy, databases=databases)
    finally:
        await admin.delete_topics([f"{copy}{full}" for full in names.values()])
        await admin.close()


async def _read(spine: Spine, topic: str) -> dict[int, Records]:
    consumer = AIOKafkaConsumer(bootstrap_servers=spine.stack.bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
        ends = await consumer.end_offsets(list(consumer.assignment()))
        partitions: dict[int, Records] = {number: [] for number in range(PARTITIONS)}
        while sum(map(len, partitions.values())) < sum(ends.values()):
            for place, batch in (await consumer.getmany(timeout_ms=200)).items():
                partitions[place.partition] += batch
        return partitions
    finally:
        await consumer.stop()


@pytest.mark.parametrize("identifier", ["91310106MA0000162W", "91310106MA00008WXY"])
def test_identifiers_of_this_registry_are_valid(identifier: str) -> None:
    assert faults(identifier) == []


@pytest.mark.parametrize("position", range(18))
def test_an_identifier_with_one_character_altered_is_not_valid(position: int) -> None:
    right = "91310106MA0000162W"
    other = "7" if right[position] != "7" else "8"

    assert faults(right[:position] + other + right[position + 1 :])


def test_the_checker_knows_nothing_of_the_services() -> None:
    """Their code would only prove that it agrees with itself."""
    imported = set()
    for file in (Path(__file__).parents[1] / "checker").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
            elif isinstance(node, ast.Import):
                imported |= {name.name for name in node.names}

    own = {name for name in imported if name.split(".")[0] in {"services", "libs", "tests", "demo", "deploy"}}
    assert own
    assert all(name == "tests.checker" or name.startswith("tests.checker.") for name in own)
