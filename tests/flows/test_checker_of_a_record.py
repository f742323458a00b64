"""The checker on the record of a run: recovery within a bound, bounded memory and disk, what a restore takes away."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from chaos.journal import journal
from tests.checker import Attempt
from tests.checker.cloudevents import Event
from tests.checker.evidence import Evidence, Target
from tests.checker.limits import (
    GROWTH,
    JUDGED_SECONDS,
    LARGEST,
    PER_ENTERPRISE_AND_YEAR,
    WARM_SECONDS,
    memory_stays_bounded,
)
from tests.checker.limits import disk_is_bounded_per_enterprise_and_year as disk_is_bounded
from tests.checker.lobby import each_event_is_a_line_once
from tests.checker.record import ABREAST, Disk, Fault, Look, Memory, Met, Record, Share, bounds, load
from tests.checker.recovery import recoveries, services_recover_within_a_bound

KILLED = "service_killed"
BOUND = bounds()[KILLED]


def evidence(record: Record, attempts: tuple[Attempt, ...] = ()) -> Evidence:
    return Evidence(Target("", ""), attempts, {}, {}, {}, {}, None, record=record)


def looks(*away: tuple[float, float], until: float = 300.0, lag: int | None = None) -> tuple[Look, ...]:
    """Of risk, each second; within the spans `away` it does not answer, or answers that so much is unread."""
    return tuple(
        Look(float(at), "risk", lag, 0)
        if any(begin <= at < end for begin, end in away)
        else Look(float(at), "risk", 0, 0)
        for at in range(int(until))
    )


def violations(record: Record) -> tuple[str, ...]:
    return services_recover_within_a_bound(evidence(record)).violations


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (looks((10, 20)), None),
        (looks((10, 15 + BOUND + 2)), f"well {BOUND + 2:.0f} s after service_killed of risk"),
        (looks((10, 15 + BOUND + 2), lag=ABREAST + 1), "after service_killed of risk"),
        (looks((10, 15 + BOUND + 2), lag=ABREAST), None),
        (looks((10, 301)), "not well any more"),
    ],
)
def test_a_service_is_well_within_the_bound_of_the_fault(seen: tuple[Look, ...], told: str | None) -> None:
    found = violations(Record((Fault(KILLED, "risk", 10, 15),), seen))
    assert (not found) if told is None else told in found[0]


@pytest.mark.parametrize(("ours", "took", "is_found"), [(1.0, 1.1, True), (0.5, 1.9, False), (0.5, 2.1, True)])
def test_where_others_have_the_machine_recovery_may_take_as_much_longer(
    ours: float, took: float, is_found: bool
) -> None:
    shares = tuple(Share(float(at), ours) for at in range(0, 200, 5))
    seen = looks((10, 15 + took * BOUND), until=400)
    assert bool(violations(Record((Fault(KILLED, "risk", 10, 15),), seen, shares=shares))) == is_found


def test_one_good_look_between_bad_ones_is_no_recovery() -> None:
    flickering = tuple(look if at != 30 else Look(30.0, "risk", 0, 0) for at, look in enumerate(looks((10, 100))))
    assert violations(Record((Fault(KILLED, "risk", 10, 15),), flickering))


def test_where_faults_overlap_the_last_of_them_is_judged() -> None:
    first, second = Fault(KILLED, "risk", 10, 15), Fault("brokers_rolled", "kafka", 40, 100)
    assert violations(Record((first, second), looks((10, 120)))) == ()
    assert [one.overtaken for one in recoveries(Record((first, second), looks((10, 120))))] == [True, False]
    [late] = violations(Record((first, second), looks((10, 200))))
    assert "after brokers_rolled" in late


def test_a_service_that_is_not_well_for_long_with_nothing_broken_is_found() -> None:
    [found] = violations(Record((), looks((100, 250))))
    assert "nothing was broken" in found


def test_a_fault_without_a_bound_is_found() -> None:
    assert "no bound is known for meteor" in violations(Record((Fault("meteor", "risk", 1, 2),), looks()))


MIB = 1 << 20


def memory(*megabytes: float, process: str = "risk") -> Record:
    """Samples ten seconds apart, of which the first are taken while the process warms up."""
    return Record(memory=tuple(Memory(10.0 * n, process, 7, int(m * MIB)) for n, m in enumerate(megabytes)))


LONG = int((WARM_SECONDS + 2 * JUDGED_SECONDS) / 10)


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (memory(*[200.0] * LONG), None),
        (memory(*[100.0 + 200 * min(1, n / 6) for n in range(LONG)]), None),
        (memory(*[200.0 + 90 * (n % 12 == 0) for n in range(LONG)]), None),
        (memory(*[150.0 + 1.5 * n for n in range(LONG)]), "grew by"),
        (memory(*[200.0] * 9, LARGEST[""] / MIB + 1), "at most 400"),
        (memory(*[LARGEST[""] / MIB + 1] * LONG, process="kafka-1"), None),
    ],
    ids=["steady", "warms up", "collects its garbage", "leaks", "too large", "a broker"],
)
def test_memory_that_grows_or_is_too_much_is_found(record: Record, told: str | None) -> None:
    found = memory_stays_bounded(evidence(record)).violations
    assert (not found) if told is None else told in found[0]
    assert GROWTH[""] < LARGEST[""]


def disk(each: float, *, enterprises: int = 200, days: int = 0) -> Record:
    """From empty tables to so many bytes for each enterprise."""
    first = Disk(0.0, "database", 50 * MIB, 0, 0)
    return Record(disk=(first, Disk(9.0, "database", int(50 * MIB + each * enterprises), enterprises, days)))


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (disk(0.9 * PER_ENTERPRISE_AND_YEAR["database"]), 0),
        (disk(1.1 * PER_ENTERPRISE_AND_YEAR["database"]), 1),
        (disk(1.1 * PER_ENTERPRISE_AND_YEAR["database"], enterprises=20), 0),
        (disk(1.9 * PER_ENTERPRISE_AND_YEAR["database"], days=730), 0),
    ],
    ids=["in bounds", "out of bounds", "too few to judge", "two years of it"],
)
def test_disk_beyond_its_bound_for_each_enterprise_and_year_is_found(record: Record, found: int) -> None:
    assert len(disk_is_bounded(evidence(record)).violations) == found


def test_what_a_restored_database_has_forgotten_is_not_asked_of_it() -> None:
    one = Attempt("/v1/applications", "k", "", 201, "{}", sent=10.0, at=11.0)
    others = (
        dataclasses.replace(one, at=4.0, sent=3.0), dataclasses.replace(one, at=31.0, sent=30.0),
        dataclasses.replace(one, service="credit"), dataclasses.replace(one, at=None, sent=None),
    )  # fmt: skip
    restored = Record((Fault("database_restored", "registration", 20.0, 25.0, back_to=5.0),))
    assert evidence(restored, (one, *others)).remembered == list(others)


@pytest.mark.parametrize("type", ["risk.class_changed.v1", "risk.related_party_signalled.v1"])
def test_what_risk_says_is_found_where_it_is_missing_or_where_applicants_look(type: str) -> None:
    topic, id = "risk.events", UUID(int=1)
    said = Event(topic, 0, 0, 0, "/jingan/risk", "91", 1, id, type, b"{}", {})

    def found(timeline: str, *lines: dict[str, Any]) -> tuple[str, ...]:
        read = {"topic": topic, "partition": 0, "next_offset": 1}
        rows: Any = {"position": [read], "parked": [], "timeline_entry": [], "risk_event": [], timeline: lines}
        target = Target("", "", services=("risk", "lobby"))
        return each_event_is_a_line_once(
            Evidence(target, (), {"lobby": rows}, {}, {"risk": [said]}, {}, None)
        ).violations  # fmt: skip

    line = {"event_id": id, "uscc": "91"}
    assert found("risk_event", line) == ()
    assert found("risk_event") == (f"{said}: not on the timeline",)
    assert found("timeline_entry", line) == (f"{said}: not on the timeline",)
    assert found("risk_event", {**line, "uscc": "92"}) == (f"{said}: under another enterprise",)


def test_a_journal_is_read_back_as_it_was_written_but_for_a_line_that_was_cut_off(tmp_path: Path) -> None:
    attempt = Attempt("/v1/applications", "键", "", 201, '{"id": 1}', caller="applicant-1", sent=1.0, at=2.0)
    seen = (Look(1.0, "risk", None, 3), Memory(1.0, "risk", 7, 8), Disk(1.0, "topics", 1, 2, 3), Met(1.0, "一"))
    file = tmp_path / "run" / "record.ndjson"
    with journal(file) as noted:
        noted.append(attempt)
        noted.fault("poison", "topics", 5.0, 6.0)
        noted.fault("database_restored", "risk", 3.0, 7.0, back_to=1.0)
        for one in seen:
            noted.note(one)
        noted.write("unanswered", words="nobody")
    file.write_text(file.read_text() + '{"kind": "look", "at": 1')

    attempts, record = load(file)

    assert attempts == [attempt]
    assert [fault.back_to for fault in record.faults] == [1.0, None]
    assert (record.looks, record.memory, record.disk, record.met) == tuple((one,) for one in seen)
