"""What a consumer cannot take: buried, parked or passed over as the protocol says, and brought home by people."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from deploy.local.stack import CHECKOUT
from libs.common.parked import main as parked_command
from services.risk.rebuild import report
from services.risk.service import service as risk
from tests.checker.packed import kept_facts
from tests.faults.topics import (
    Record,
    changed_address,
    ends,
    event,
    everything_is_taken,
    new_uscc,
    positions,
    put,
    registered,
)
from tests.spine import Spine, change, eventually, recovery_reports, risk_of, submit

NEWNESS, MOVE = 30, 10
"""Points: an enterprise of this year; one change of address."""


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def parts(spine: Spine) -> None:
    spine.up("registration", "risk")


async def all_is_taken(spine: Spine) -> None:
    await eventually(lambda: everything_is_taken(spine, "risk"))


async def score(spine: Spine, uscc: str) -> int | None:
    found = await risk_of(spine, uscc)
    return found and found["score"]


async def parked(spine: Spine, subject: str) -> list[tuple[int, str]]:
    """(sequence, state) of everything that was ever parked for a subject and is not home."""
    async with spine.database("risk") as connection:
        rows = await connection.fetch(
            "SELECT sequence, state FROM parked WHERE subject = $1 ORDER BY sequence, state", subject
        )
    return [(row["sequence"], row["state"]) for row in rows]


async def metric(spine: Spine, name: str) -> float:
    """A sample of risk's /metrics; `name` with its labels as Prometheus writes them."""
    async with httpx.AsyncClient(timeout=10) as client:
        lines = (await client.get(f"{spine.service('risk').url}/metrics")).text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), 0.0)


async def command(spine: Spine, module: str, *arguments: str) -> str:
    """Run a command as an operator does; what it printed."""

    def run() -> str:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments], cwd=CHECKOUT,
            env={**os.environ, **spine.env, "COLUMNS": "240"}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return await asyncio.to_thread(run)


async def by_hand(spine: Spine, *arguments: str) -> str:
    """python -m libs.common.parked risk ..."""
    return await command(spine, "libs.common.parked", "risk", *arguments)


async def decide(spine: Spine, *arguments: str) -> None:
    """The same command, without the seconds that a process takes to start."""
    with spine.as_environment():
        await parked_command(["risk", *arguments])


async def refused(spine: Spine, *arguments: str) -> str:
    """The sentence with which the command ends when it cannot do what is asked."""
    with pytest.raises(SystemExit) as ended:
        await decide(spine, *arguments)
    return str(ended.value)


ENDLESS = os.urandom(4_000).hex().encode()
NAMELESS: dict[str, tuple[Callable[[Record], Record], str]] = {
    "no headers": (lambda r: replace(r, headers={}), "missing header 'ce_subject'"),
    "no id": (lambda r: r.without_header("ce_id"), "missing header 'ce_id'"),
    "an id that is no UUID": (lambda r: r.with_headers(ce_id=b"17"), "UUID"),
    "a header without a value": (lambda r: r.with_headers(ce_type=None), "ce_type"),
    "no sequence": (lambda r: r.without_header("ce_subjectsequence"), "missing header 'ce_subjectsequence'"),
    "a sequence that is no number": (lambda r: r.with_headers(ce_subjectsequence=b"first"), "first"),
    "sequence 0": (lambda r: r.with_headers(ce_subjectsequence=b"0"), "ce_subjectsequence"),
    "a sequence beyond 64 bits": (lambda r: r.with_headers(ce_subjectsequence=b"9223372036854775808"), "subjectseq"),
    "a foreign source": (lambda r: r.with_headers(ce_source=b"/jingan/credit"), "ce_source is not"),
    "a key that is not the subject": (lambda r: replace(r, key=b"91310106MA00000116"), "the key is not ce_subject"),
    "no key": (lambda r: replace(r, key=None), "the key is not ce_subject"),
    "a subject that is not UTF-8": (lambda r: replace(r, key=b"\xff").with_headers(ce_subject=b"\xff"), "utf-8"),
    "a subject with a NUL": (lambda r: replace(r, key=b"a\0b").with_headers(ce_subject=b"a\0b"), "ce_subject"),
    "a subject without end": (
        lambda r: replace(r, key=ENDLESS).with_headers(ce_subject=ENDLESS), "ce_subject"),
    "an empty subject": (lambda r: replace(r, key=b"").with_headers(ce_subject=b""), "ce_subject"),
    "a type with a NUL": (lambda r: r.with_headers(ce_type=b"a\0.v1"), "ce_type"),
    "a time with a NUL": (lambda r: r.with_headers(ce_time=b"\0"), "ce_time"),
}  # fmt: skip


async def test_a_record_without_a_readable_identity_is_buried_once_with_its_cause_and_its_partition_moves_on(
    spine: Spine,
) -> None:
    forged = [forge(registered(new_uscc(number % 12))) for number, (forge, _) in enumerate(NAMELESS.values())]
    followers = [new_uscc(record.partition) for record in forged]

    offsets = await put(spine, *forged, *map(registered, followers))

    await all_is_taken(spine)
    assert [await score(spine, uscc) for uscc in followers] == [NEWNESS] * len(followers)
    async with spine.database("risk") as connection:
        rows = await connection.fetch('SELECT partition, "offset", cause, value FROM dead_letter')
    buried = {(row["partition"], row["offset"]): row for row in rows}
    assert len(buried) == len(rows) == len(forged)
    for (name, (_, cause)), record, offset in zip(NAMELESS.items(), forged, offsets[: len(forged)], strict=True):
        row = buried[record.partition, offset]
        assert cause in row["cause"], name
        assert row["value"] == record.value


UNREADABLE: dict[str, tuple[Callable[[str], Record], str]] = {
    "JSON that ends too early": (lambda uscc: replace(registered(uscc), value=b'{"registered_on":'), "DecodeError"),
    "no value at all": (lambda uscc: replace(registered(uscc), value=None), "DecodeError"),
    "text that is not UTF-8": (lambda uscc: replace(registered(uscc), value=b'{"industry": "\xff"}'), "DecodeError"),
    "arrays without end": (lambda uscc: replace(registered(uscc), value=b"[" * 900_000), "Error"),
    "a megabyte of blanks": (lambda uscc: replace(registered(uscc), value=b" " * 1_000_000), "DecodeError"),
    "a field that is missing": (lambda uscc: replace(registered(uscc), value=b"{}"), "ValidationError"),
    "a day that does not exist": (lambda uscc: registered(uscc, registered_on="2026-02-30"), "ValidationError"),
    "an absurd capital": (lambda uscc: registered(uscc, registered_capital="1e400"), "registered_capital: not between"),
    "a day in another age": (lambda uscc: registered(uscc, registered_on="9999-12-31"), "UnreadableFact"),
    "an unknown version of a type that is read": (
        lambda uscc: event(uscc, 1, {}, type="registration.enterprise_registered.v9"), "UnknownVersion"),
}  # fmt: skip


async def test_an_event_that_fails_by_itself_is_parked_its_followers_wait_and_other_subjects_move_on(
    spine: Spine,
) -> None:
    bad = {new_uscc(number % 12): row for number, row in enumerate(UNREADABLE.values())}
    others = [new_uscc(number % 12) for number in range(len(bad))]
    heads = [make(uscc) for uscc, (make, _) in bad.items()]
    followers = [changed_address(uscc, sequence) for uscc in bad for sequence in (2, 3)]

    await put(spine, *heads, *followers, *map(registered, others))
    await all_is_taken(spine)

    assert [await score(spine, uscc) for uscc in others] == [NEWNESS] * len(others)
    async with spine.database("risk") as connection:
        errors = dict(await connection.fetch("SELECT subject, error FROM parked WHERE state = 'failed'"))
        marks = dict(await connection.fetch("SELECT subject, sequence FROM mark"))
    for uscc, (_, error) in bad.items():
        assert await parked(spine, uscc) == [(1, "failed"), (2, "waiting"), (3, "waiting")]
        assert error in errors[uscc]
        assert uscc not in marks, "the mark never moves on parking"
        assert await risk_of(spine, uscc) is None

    await put(spine, *heads, *followers)  # sent again: parked already
    await all_is_taken(spine)
    assert {len(await parked(spine, uscc)) for uscc in bad} == {3}


async def test_an_unknown_type_needs_nothing_and_the_mark_moves(spine: Spine) -> None:
    uscc = new_uscc()
    unheard = event(uscc, 2, b"not even JSON", type="registration.information_report_filed.v1")

    await put(spine, registered(uscc), unheard, changed_address(uscc, 3))
    await all_is_taken(spine)

    assert await parked(spine, uscc) == []
    assert await score(spine, uscc) == NEWNESS + MOVE


async def test_a_trace_that_cannot_be_read_is_no_fault_of_the_event(spine: Spine) -> None:
    traces = [b"", b"none", b"\xff" * 55, b"\0" * 55, b"00-" + b"z" * 52, None]
    enterprises = [new_uscc() for _ in traces]
    records = [
        registered(uscc).with_headers(traceparent=trace) for uscc, trace in zip(enterprises, traces, strict=True)
    ]

    await put(spine, *records)
    await all_is_taken(spine)

    assert [await score(spine, uscc) for uscc in enterprises] == [NEWNESS] * len(traces)


async def test_behind_a_gap_events_wait_with_an_alarm_until_the_missing_one_comes(spine: Spine) -> None:
    uscc, missing = new_uscc(), 2
    before = await metric(spine, 'parked_events{service="risk",state="waiting"}')

    await put(spine, registered(uscc), changed_address(uscc, 3), changed_address(uscc, 4))
    await all_is_taken(spine)
    assert await parked(spine, uscc) == [(3, "waiting"), (4, "waiting")]
    assert await score(spine, uscc) == NEWNESS

    async def alarm() -> bool:
        return await metric(spine, 'parked_events{service="risk",state="waiting"}') >= before + 2

    await eventually(alarm)
    await put(spine, changed_address(uscc, missing))

    async def home() -> bool:
        return await parked(spine, uscc) == []

    await eventually(home)
    assert await score(spine, uscc) == NEWNESS + 2 * MOVE, "three moves count twenty points at most"


async def test_a_fork_is_never_tried_and_holds_up_its_subject_until_a_person_drops_it(spine: Spine) -> None:
    uscc = new_uscc()
    await put(spine, registered(uscc), changed_address(uscc, 2), changed_address(uscc, 2), changed_address(uscc, 3))
    await all_is_taken(spine)

    assert await parked(spine, uscc) == [(2, "forked"), (3, "waiting")]
    assert await score(spine, uscc) == NEWNESS + MOVE
    assert "drop the other" in await refused(spine, "retry", uscc, "2", "--why", "it may have been right")

    async def alarm() -> bool:
        return await metric(spine, 'parked_events{service="risk",state="forked"}') >= 1

    await eventually(alarm)
    assert await parked(spine, uscc) == [(2, "forked"), (3, "waiting")], "a fork is never retried"

    await decide(spine, "drop", uscc, "2", "--why", "the registry says that the first one holds")

    async def home() -> bool:
        return await parked(spine, uscc) == [(2, "dropped")]

    await eventually(home)
    assert await score(spine, uscc) == NEWNESS + 2 * MOVE


async def test_the_command_lists_and_shows_what_is_parked_whatever_it_is_called(spine: Spine) -> None:
    uscc, odd = new_uscc(), f"[/bold] {uuid4()}"
    await set_a_date_that_nobody_acts_on(spine)
    await put(spine, registered(uscc, registered_capital="1e400"), changed_address(odd, 7))
    await all_is_taken(spine)

    listed = await by_hand(spine, "list")
    assert [line for line in listed.splitlines() if uscc in line and "failed" in line and "UnreadableFact" in line]
    assert [line for line in listed.splitlines() if odd in line and "waiting" in line]
    assert [line for line in listed.splitlines() if "of a newer release" in line and "2026-01-01" in line]
    shown = await by_hand(spine, "show", uscc, "1")
    assert "1e400" in shown
    assert "registered_capital: not between 0 and 10^16" in shown
    assert "Nothing is parked" in await refused(spine, "show", uscc, "9")
    assert "Nothing is parked" in await refused(spine, "drop", uscc, "9", "--why", "a slip")


async def set_a_date_that_nobody_acts_on(spine: Spine) -> None:
    async with spine.database("risk") as connection:
        await connection.execute("INSERT INTO due VALUES ('of a newer release', '1', '2026-01-01')")

        async def has_failed() -> bool:
            return bool(await connection.fetchval("SELECT bool_or(attempts > 0) FROM due"))

        await eventually(has_failed)


async def test_an_event_on_a_partition_that_is_not_its_subjects_is_buried_with_that_cause(spine: Spine) -> None:
    """Two members would work on one subject at a time, each under the lock of its own partition."""
    uscc = new_uscc(4)
    await put(spine, registered(uscc), replace(changed_address(uscc, 2), partition=5), changed_address(uscc, 3))
    await all_is_taken(spine)

    assert await parked(spine, uscc) == [(3, "waiting")], "the missing one is found missing"
    async with spine.database("risk") as connection:
        cause = await connection.fetchval("SELECT cause FROM dead_letter WHERE key = $1", uscc.encode())
    assert cause == "its subject belongs on partition 4, where another member takes it"
    await put(spine, changed_address(uscc, 2))
    await eventually(lambda: is_home(spine, uscc))
    assert await score(spine, uscc) == NEWNESS + 2 * MOVE


async def is_home(spine: Spine, uscc: str) -> bool:
    return await parked(spine, uscc) == []


async def test_dropping_a_failed_head_gives_up_that_event_alone(spine: Spine) -> None:
    uscc = new_uscc()
    await put(spine, registered(uscc), replace(changed_address(uscc, 2), value=b"{"), changed_address(uscc, 3))
    await all_is_taken(spine)

    said = await by_hand(spine, "drop", uscc, "2", "--why", "the sender confirms that it was never meant")

    assert f"drop {uscc} 2" in said

    async def home() -> bool:
        return await parked(spine, uscc) == [(2, "dropped")]

    await eventually(home)
    assert await score(spine, uscc) == NEWNESS + MOVE
    async with spine.database("risk") as connection:
        row = await connection.fetchrow("SELECT disposed_by, disposed_why FROM parked WHERE subject = $1", uscc)
    assert row["disposed_by"]
    assert row["disposed_why"] == "the sender confirms that it was never meant"
    line = (await recovery_reports(spine, "risk"))[0]
    assert (line["kind"], line["outcome"], line["verification"]) == ("disposition", "carried_out", "verified")
    assert (line["by"], line["summary"]) == (row["disposed_by"], f"drop: {uscc} 2, which was failed")


async def test_where_two_events_claim_one_sequence_a_person_names_the_one_to_drop(spine: Spine) -> None:
    uscc, rival = new_uscc(), uuid4()
    await put(spine, registered(uscc), changed_address(uscc, 3), changed_address(uscc, 3, id=rival))
    await all_is_taken(spine)
    assert await parked(spine, uscc) == [(3, "forked"), (3, "waiting")]

    answer = await refused(spine, "drop", uscc, "3", "--why", "one of them")
    assert str(rival) in answer
    assert "--id" in answer
    await decide(spine, "drop", uscc, "3", "--id", str(rival), "--why", "the other one is in the register")
    await put(spine, changed_address(uscc, 2))

    async def home() -> bool:
        return await parked(spine, uscc) == [(3, "dropped")]

    await eventually(home)
    assert await score(spine, uscc) == NEWNESS + 2 * MOVE


async def test_skipping_to_an_event_gives_up_the_gap_before_it_for_good(spine: Spine) -> None:
    uscc = new_uscc()
    await put(spine, registered(uscc), changed_address(uscc, 4))
    await all_is_taken(spine)

    await by_hand(spine, "skip-to", uscc, "4", "--why", "2 and 3 were lost with the old cluster")

    async def home() -> bool:
        return await parked(spine, uscc) == [(2, "skipped"), (3, "skipped")]

    await eventually(home)
    assert await score(spine, uscc) == NEWNESS + MOVE
    await put(spine, changed_address(uscc, 3), changed_address(uscc, 5, changed=["legal_representative"]))
    await all_is_taken(spine)
    assert await score(spine, uscc) == NEWNESS + MOVE + 14, "what comes late into the gap has no effect any more"


async def test_when_the_cause_is_mended_a_parked_event_comes_home_by_itself_or_at_once_when_a_person_says_so(
    spine: Spine,
) -> None:
    patient, urgent = new_uscc(), new_uscc()
    await refuse_facts(spine, f"uscc NOT IN ('{patient}', '{urgent}')")
    for uscc in (patient, urgent):
        await put(spine, registered(uscc), changed_address(uscc, 2))
    await all_is_taken(spine)
    assert await parked(spine, patient) == await parked(spine, urgent) == [(1, "failed"), (2, "waiting")]

    await mend_facts(spine)
    async with spine.database("risk") as connection:
        await connection.execute("UPDATE parked SET retry_at = now() + interval '1 day' WHERE subject = $1", urgent)
    await by_hand(spine, "retry", urgent, "1", "--why", "the bug is mended")

    async def home() -> bool:
        return await parked(spine, patient) == await parked(spine, urgent) == []

    await eventually(home)
    assert await score(spine, patient) == await score(spine, urgent) == NEWNESS + MOVE


async def refuse_facts(spine: Spine, allowed: str) -> None:
    """A bug of a release: facts other than `allowed` (SQL) offend the database."""
    async with spine.database("risk") as connection:
        await connection.execute(f"ALTER TABLE fact_sheet ADD CONSTRAINT bug CHECK ({allowed}) NOT VALID")


async def mend_facts(spine: Spine) -> None:
    async with spine.database("risk") as connection:
        await connection.execute("ALTER TABLE fact_sheet DROP CONSTRAINT bug")


async def test_a_real_gap_is_healed_by_sending_again_while_new_events_keep_arriving(spine: Spine) -> None:
    uscc = (await submit(spine)).json()["uscc"]
    at_first = await eventually(lambda: score(spine, uscc))
    await lose_from_now_on(spine, uscc)
    await change(spine, uscc, {"area": "310106013"})
    await find_again(spine)
    later = asyncio.create_task(move_about(spine, uscc, times=20))

    async def waiting() -> bool:
        return len(await parked(spine, uscc)) >= 3

    await eventually(waiting)
    said = await command(spine, "libs.common.relay", "resend", "registration", uscc, "2", "2")
    assert said.startswith("1 event(s)")
    await later

    async def home() -> bool:
        async with spine.database("risk") as connection:
            taken = await connection.fetchval(
                "SELECT sequence FROM mark WHERE subject = $1 AND source = '/jingan/registration'", uscc
            )
        return taken == 22 and await parked(spine, uscc) == []

    await eventually(home)
    assert await score(spine, uscc) == at_first + 20
    async with spine.database("risk") as connection:
        sheet = await connection.fetchrow("SELECT uscc, live, past FROM fact_sheet WHERE uscc = $1", uscc)
    assert {fact.sequence for fact in kept_facts(sheet)} == set(range(1, 23))


async def lose_from_now_on(spine: Spine, uscc: str) -> None:
    """What registration says of this enterprise never reaches Kafka, though its relay believes that it did."""
    async with spine.database("registration") as connection:
        await connection.execute(f"""
            CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.adopted := true; RETURN NEW; END';
            CREATE TRIGGER lost BEFORE INSERT ON outbox FOR EACH ROW WHEN (NEW.subject = '{uscc}')
            EXECUTE FUNCTION lose()""")


async def find_again(spine: Spine) -> None:
    async with spine.database("registration") as connection:
        await connection.execute("DROP TRIGGER lost ON outbox; DROP FUNCTION lose")


async def move_about(spine: Spine, uscc: str, *, times: int) -> None:
    for number in range(times):
        answer = await change(spine, uscc, {"area": ("310106014", "310106013")[number % 2]})
        assert answer.json()["decision"]["outcome"] == "accepted"
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("way", ["resume", "restart"])
async def test_more_than_a_hundred_failing_heads_are_a_bad_release_that_stands_still_until_a_person_has_looked(
    spine: Spine, way: str
) -> None:
    enterprises = [new_uscc() for _ in range(240)]
    await refuse_facts(spine, f"position('\\x{(777).to_bytes(8, 'little').hex()}'::bytea IN live) = 0")
    await put(spine, *(registered(uscc, registered_capital="777") for uscc in enterprises))

    async def paused() -> bool:
        return await metric(spine, 'consumer_paused{service="risk"}') == 1

    await eventually(paused)
    standing = await positions(spine, "risk")
    failing = await failing_heads(spine, enterprises)
    assert 80 < failing <= 101, "those of earlier stories that fail again count as well"
    latecomer = new_uscc()
    await put(spine, registered(latecomer))
    await cut_sessions(spine)
    await asyncio.sleep(1.5)  # time in which it would have moved
    assert await positions(spine, "risk") == standing
    assert await failing_heads(spine, enterprises) == failing
    assert sum(standing.values()) < sum((await ends(spine)).values())

    await mend_facts(spine)
    if way == "resume":
        await by_hand(spine, "resume", "--why", "release 1.0.1 is out")
    else:
        assert await asyncio.to_thread(spine.service("risk").stop) == 0
        spine.up("risk")

    await all_is_taken(spine)

    async def home() -> bool:
        return await failing_heads(spine, enterprises) == 0

    await eventually(home)
    assert not await paused()
    async with spine.database("risk") as connection:
        scored = await connection.fetchval("SELECT count(*) FROM profile WHERE uscc = ANY($1)", enterprises)
    assert scored == len(enterprises)
    assert await score(spine, latecomer) == NEWNESS


async def cut_sessions(spine: Spine) -> None:
    """Trouble with the database is no reason to go on either."""
    async with spine.database("risk") as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def failing_heads(spine: Spine, subjects: list[str]) -> int:
    async with spine.database("risk") as connection:
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM parked WHERE state = 'failed' AND subject = ANY($1)", subjects
            )
        )


async def test_after_all_of_this_the_live_table_equals_the_rebuild(spine: Spine) -> None:
    uscc: Any = new_uscc()
    await put(spine, registered(uscc))
    await all_is_taken(spine)
    with spine.as_environment():
        told = await report(risk.load_settings())
    assert told.enterprises >= 1
    assert (told.different, told.differences) == (0, ())
