"""Related parties: what an enterprise does to those behind whom the same people stand, and to those at its address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.common.envelope import Incoming, source_of
from libs.common.policy import PolicyError
from services.risk import scorecards
from services.risk.domain import Fact, assess, live_facts
from services.risk.domain.relatives import DENSITY, Key, Signals, Worth, signals
from services.risk.policy import relatives as policy
from services.risk.reactions import facts_stated, ties_stated
from services.risk.repository import facts as facts_repository
from services.risk.service import lift_announced
from services.risk.use_cases import relatives as use_cases
from tests.risk.window import TODAY, Window, delisted, event, listed, open_window, registered
from tests.spine import Spine

RISK = source_of("risk")
SERIOUS = "serious_illegal_dishonest"
FEW = policy.thresholds()[0]
_numbers = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window(spine: Spine) -> AsyncIterator[Window]:
    async with open_window(spine) as opened:
        yield opened


def new_usccs(many: int) -> list[str]:
    """Identifiers that no other test has, in several partitions."""
    return [f"91310106MB{next(_numbers):07}X" for _ in range(many)]


def behind(**roles: UUID) -> list[dict[str, str]]:
    return [{"party_id": str(party), "role": role} for role, party in roles.items()]


def told(uscc: str, data: Any, sequence: int = 0, id: UUID | None = None) -> Incoming:
    return Incoming(
        topic="", partition=0, offset=0, id=id or uuid4(), source=RISK, type="risk.related_party_signalled.v1",
        subject=uscc, sequence=sequence, correlation_id="c", time="",
        data=data if isinstance(data, bytes) else msgspec.json.encode(data), traceparent=None,
    )  # fmt: skip


async def heard(window: Window) -> int:
    """Risk hears what it said of relatives itself, as the owners of their partitions do; how much that was."""
    async with window.rows() as connection:
        rows = await connection.fetch(
            "DELETE FROM outbox WHERE type = 'risk.related_party_signalled.v1'"
            " RETURNING event_id, subject, sequence, data"
        )
    said = sorted(rows, key=lambda row: row["sequence"])
    if said:
        await window.take(*(told(row["subject"], row["data"], row["sequence"], row["event_id"]) for row in said))
    return len(said)


async def points(window: Window, uscc: str) -> dict[str, int]:
    """What relatives add to the score."""
    await heard(window)
    shown = await window.shown(f"/v1/enterprises/{uscc}/risk")
    return {
        part["rule"]: part["points"]
        for part in shown["contributions"]
        if part["rule"] in ("related_serious_list", "legal_representative_risk", "actual_controller_risk", DENSITY)
    }


def revoked(uscc: str, on: date) -> Incoming:
    return event(
        "licensing.permit_revoked.v1", uscc, permit_id=str(uuid4()), reason="commitment_unkept",
        revoked_on=on.isoformat(),
    )  # fmt: skip


def inspected(uscc: str, on: date, inspection: UUID, *, problem: bool = False, refused: bool = False) -> Incoming:
    return event(
        "supervision.inspection_completed.v1", uscc, inspection_id=str(inspection), problem=problem, refused=refused,
        unreachable=False, completed_on=on.isoformat(),
    )  # fmt: skip


def changed(uscc: str, *what: str) -> Incoming:
    return event(
        "registration.enterprise_changed.v1", uscc, change_id=str(uuid4()), changed=list(what),
        changed_on=TODAY.isoformat(), area="310106012",
    )  # fmt: skip


async def test_a_listing_reaches_those_behind_whom_the_same_investor_stands_and_its_end_lowers_them_again(
    window: Window,
) -> None:
    one, other, stranger = new_usccs(3)
    party, listing = uuid4(), uuid4()
    await window.take(
        registered(one, parties=behind(investor=party)),
        registered(other, date(2015, 1, 5), parties=behind(legal_representative=party)),
        registered(stranger, parties=behind(investor=uuid4())),
    )
    before = (await window.shown(f"/v1/enterprises/{other}/risk"))["score"]
    await window.take(listed(one, TODAY, listing, name=SERIOUS))
    assert await points(window, other) == {"related_serious_list": 20}
    shown = await window.shown(f"/v1/enterprises/{other}/risk")
    assert (shown["score"], shown["risk_class"]) == (before + 20, "A"), "points, and no class by itself"
    assert await points(window, one) == await points(window, stranger) == {}, "nobody is its own relative"

    await window.take(delisted(one, TODAY, listing, name=SERIOUS))
    assert await points(window, other) == {}
    assert (await window.shown(f"/v1/enterprises/{other}/risk"))["score"] == before


async def test_who_is_registered_later_is_a_relative_too_and_the_cap_bounds_what_relatives_add(window: Window) -> None:
    troubled, late = new_usccs(4), new_usccs(1)[0]
    party = uuid4()
    await window.take(*(registered(uscc, parties=behind(investor=party)) for uscc in troubled))
    await window.take(*(listed(uscc, TODAY, name=SERIOUS) for uscc in troubled))
    await window.take(registered(late, parties=behind(investor=party)))
    (rule,) = [rule for rule in scorecards.shipped().rules if rule.name == "related_serious_list"]
    assert await points(window, late) == {"related_serious_list": rule.cap}
    assert rule.cap < len(troubled) * 20


async def test_a_signal_is_never_derived_from_a_signal(window: Window) -> None:
    first, second, third = new_usccs(3)
    near, far = uuid4(), uuid4()
    await window.take(
        registered(first, parties=behind(investor=near)),
        registered(second, parties=behind(investor=near, legal_representative=far)),
        registered(third, parties=behind(investor=far)),
    )
    await window.take(listed(first, TODAY, name=SERIOUS))
    assert await heard(window) == 1
    assert await heard(window) == 0, "what was heard has no echo"
    assert await points(window, second) == {"related_serious_list": 20}
    assert await points(window, third) == {}


async def test_a_revoked_permit_reaches_who_represents_and_who_controls_and_ages(window: Window) -> None:
    one, represented, controlled, invested = new_usccs(4)
    person = uuid4()
    await window.take(
        registered(one, parties=behind(legal_representative=person)),
        registered(represented, parties=behind(legal_representative=person)),
        registered(controlled, parties=behind(investor=person, actual_controller=person)),
        registered(invested, parties=behind(investor=person)),
    )
    await window.take(revoked(one, date(2024, 3, 1)), revoked(one, date(2023, 3, 1)))
    assert await points(window, represented) == {"legal_representative_risk": 15}
    assert await points(window, controlled) == {"actual_controller_risk": 25}
    assert await points(window, invested) == {}
    later = await window.shown(f"/v1/enterprises/{represented}/risk?as_of=2027-03-01")
    assert "legal_representative_risk" not in {part["rule"] for part in later["contributions"]}


async def test_an_inspection_that_is_corrected_burdens_nobody_any_more(window: Window) -> None:
    one, other = new_usccs(2)
    person, inspection = uuid4(), uuid4()
    await window.take(
        registered(one, parties=behind(legal_representative=person)),
        registered(other, parties=behind(legal_representative=person)),
    )
    await window.take(inspected(one, TODAY, inspection, refused=True))
    assert await points(window, other) == {"legal_representative_risk": 15}
    await window.take(inspected(one, TODAY, inspection, problem=True))
    assert await points(window, other) == {}


async def test_a_new_legal_representative_whom_nobody_names_ends_the_old_tie(window: Window) -> None:
    one, other = new_usccs(2)
    person = uuid4()
    await window.take(
        registered(one, parties=behind(legal_representative=person)),
        registered(other, parties=behind(legal_representative=person)),
    )
    await window.take(revoked(one, TODAY))
    assert await points(window, other) == {"legal_representative_risk": 15}
    await window.take(changed(other, "legal_representative"))
    assert await points(window, other) == {}


async def test_an_address_counts_by_thresholds_down_as_well_as_up(window: Window) -> None:
    address = str(uuid4())
    usccs = new_usccs(FEW + 1)
    await window.take(*(registered(uscc, address_id=address) for uscc in usccs[: FEW - 1]))
    assert await points(window, usccs[0]) == {}
    await window.take(registered(usccs[FEW - 1], address_id=address))
    assert [await points(window, uscc) for uscc in usccs[:FEW]] == [{DENSITY: 5}] * FEW
    await window.take(registered(usccs[FEW], address_id=address))
    assert await heard(window) == 1, "just who came: the others stand at the same threshold"
    await window.take(changed(usccs[0], "area"))
    assert await points(window, usccs[0]) == {}, "where it is now, nobody has said"
    await window.take(event(
        "registration.enterprise_deregistered.v1", usccs[1], procedure="general", deregistered_on=TODAY.isoformat()
    ))  # fmt: skip
    assert [await points(window, uscc) for uscc in usccs] == [{}] * (FEW + 1)


async def test_an_enterprise_whose_registration_was_withdrawn_is_at_no_address(window: Window) -> None:
    address = str(uuid4())
    usccs = new_usccs(FEW)
    await window.take(*(registered(uscc, address_id=address) for uscc in usccs))
    assert [await points(window, uscc) for uscc in usccs] == [{DENSITY: 5}] * FEW
    await window.take(event(
        "registration.registration_withdrawn.v1", usccs[0], case_id=str(uuid4()), withdrawn_on=TODAY.isoformat()
    ))  # fmt: skip
    assert [await points(window, uscc) for uscc in usccs] == [{}] * FEW


KEPT = "SELECT count(*) FROM related_signal WHERE uscc = $1"
ROLES = ("investor", "legal_representative", "actual_controller")
HAPPENS = ("area", "legal_representative", "listed", "revoked", "refused")
LOW = (2, 3)
"""Thresholds that a small world reaches."""


@dataclass(frozen=True, slots=True)
class History:
    """What was said of a few enterprises, in the order in which it comes in: batches, each with whether risk hears
    itself after it."""

    usccs: Sequence[str]
    batches: Sequence[tuple[Sequence[Incoming], bool]]

    @property
    def events(self) -> list[Incoming]:
        return [one for batch, _ in self.batches for one in batch]


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Any order and any repeats: of one enterprise too a later event may come before an earlier one."""
    usccs = new_usccs(4)
    parties, places = [uuid4(), uuid4()], [str(uuid4()), None]
    said: list[Incoming] = []
    for uscc in usccs:
        roles = draw(st.lists(st.tuples(st.sampled_from(ROLES), st.sampled_from(parties)), unique=True, max_size=3))
        behind_it = [{"party_id": str(party), "role": role} for role, party in roles]
        said.append(registered(uscc, parties=behind_it, address_id=draw(st.sampled_from(places))))
        for what in draw(st.lists(st.sampled_from(HAPPENS), max_size=3)):
            on = TODAY - timedelta(draw(st.integers(0, 900)))
            if what == "listed":
                listing = uuid4()
                said.append(listed(uscc, on, listing, name=SERIOUS))
                if draw(st.booleans()):
                    said.append(delisted(uscc, TODAY, listing, name=SERIOUS))
            elif what == "refused":
                inspection = uuid4()
                said.append(inspected(uscc, on, inspection, refused=True))
                if draw(st.booleans()):
                    said.append(inspected(uscc, on, inspection, problem=True))
            else:
                said.append(revoked(uscc, on) if what == "revoked" else changed(uscc, what))
    order = draw(st.permutations([*said, *draw(st.lists(st.sampled_from(said), max_size=3))]))
    batches, at = [], 0
    while at < len(order):
        size = draw(st.integers(1, 5))
        batches.append((order[at : at + size], draw(st.booleans())))
        at += size
    return History(usccs, batches)


def amounts_to(history: History) -> tuple[Signals, dict[str, int]]:
    """By the reference: the signals, and the scores of those registered."""
    events = [one._replace(time="2026-01-05T00:00:00+00:00") for one in history.events]
    facts = {
        uscc: {fact for one in events if one.subject == uscc for fact in facts_stated(one)} for uscc in history.usccs
    }
    found = signals((tie for one in events for tie in ties_stated(one)), facts, policy.bearings(), LOW)
    scores = {}
    for uscc, stated in facts.items():
        of_others = [
            Fact(RISK, uscc, 1, n, key.indicator, worth.since, worth.value, f"{key}", UUID(int=n))
            for n, (key, worth) in enumerate(found.items())
            if key.uscc == uscc
        ]
        scores[uscc] = assess([*stated, *of_others], TODAY, scorecards.shipped()).score
    return found, scores


@pytest.mark.timeout(300)  # a failure is shrunk before it is shown
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(history=histories())
async def test_signals_and_scores_are_those_of_the_set_of_events_in_any_order_and_batches(
    window: Window, history: History
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(use_cases, "thresholds", lambda: LOW)
        for batch, hears in history.batches:
            await window.take(*batch)
            if hears:
                await heard(window)
    while await heard(window):
        pass
    async with window.rows() as connection:
        rows = await connection.fetch("SELECT * FROM related_signal WHERE uscc = ANY($1)", history.usccs)
        scored = await connection.fetch("SELECT uscc, score FROM profile WHERE uscc = ANY($1)", history.usccs)
        kept = await facts_repository.facts_of(connection, history.usccs)
    found, scores = amounts_to(history)
    assert {Key(*row[:3]): Worth(*row[3:]) for row in rows} == found
    assert {row["uscc"]: row["score"] for row in scored} == scores
    live = [fact for uscc in history.usccs for fact in live_facts(fact for fact in kept if fact.subject == uscc)]
    holding = sorted(
        (one.subject, one.indicator, one.legal_date, one.value) for one in live if one.source == RISK and one.value
    )
    assert holding == sorted((key.uscc, key.indicator, worth.since, worth.value) for key, worth in found.items())


async def test_after_a_restore_what_the_topic_said_last_counts_and_a_difference_is_judged_again(window: Window) -> None:
    one, other = new_usccs(2)
    party = uuid4()
    await window.take(
        registered(one, parties=behind(investor=party)), registered(other, parties=behind(investor=party))
    )
    await window.take(listed(one, TODAY, name=SERIOUS))
    assert await points(window, other) == {"related_serious_list": 20}
    about = {"indicator": "related_serious_list", "record": one}
    said_since = told(other, {**about, "value": 0, "since": TODAY.isoformat()})
    async with window.rows() as connection:
        await connection.execute(
            "INSERT INTO outbox (event_id, subject, sequence, type, time, correlation_id, data, adopted)"
            " SELECT $1, subject, sequence + 1, $2, now(), 'c', $3, true FROM outbox_counter WHERE subject = $4",
            said_since.id, said_since.type, said_since.data, other,
        )  # fmt: skip
        await connection.execute("UPDATE outbox_counter SET sequence = sequence + 1 WHERE subject = $1", other)
        (line,) = await lift_announced(connection, [said_since])
        assert line == "1 enterprises were told of relatives; 1 will be judged again, for they differ."
        assert await connection.fetchval(KEPT, other) == 0
    await window.at(TODAY)
    async with window.rows() as connection:
        assert await connection.fetchval(KEPT, other) == 1
    assert await points(window, other) == {"related_serious_list": 20}


async def test_two_at_once_miss_neither_the_tie_nor_the_listing(window: Window) -> None:
    """Who writes the tie cannot see the listing yet, nor the other way round: one of them waits and then does."""
    party, address = uuid4(), str(uuid4())
    pairs = [new_usccs(2) for _ in range(4)]
    await window.take(*(registered(one, parties=behind(investor=party)) for one, _ in pairs))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(use_cases, "thresholds", lambda: LOW)
        await asyncio.gather(
            *(window.take(listed(one, TODAY, name=SERIOUS)) for one, _ in pairs),
            *(window.take(registered(other, parties=behind(investor=party), address_id=address)) for _, other in pairs),
        )
    async with window.rows() as connection:
        said = await connection.fetch(
            "SELECT uscc, record FROM related_signal WHERE indicator = 'related_serious_list' AND uscc = ANY($1)",
            [other for _, other in pairs],
        )
        at_address = await connection.fetchval("SELECT enterprises FROM shared_address WHERE address = $1", address)
        dense = await connection.fetchval(
            "SELECT count(*) FROM related_signal WHERE indicator = $1 AND uscc = ANY($2)",
            DENSITY,
            [other for _, other in pairs],
        )
    assert {tuple(row) for row in said} == {(other, one) for _, other in pairs for one, _ in pairs}
    assert (at_address, dense) == (len(pairs), len(pairs))


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("relatives.csv", "serious_list_active", "related_serious_list", "never derived from a signal"),
        ("relatives.csv", "serious_list_active", "tax_credit_grade", "no event states it"),
        ("address_density.csv", "\n50,", "\n10,", "address_density.csv:3: 10 does not lie above 10"),
        ("address_density.csv", "\n10,", "\n1,", "address_density.csv:2: one enterprise shares"),
    ],
)
def test_unfit_settings_are_refused_by_file_and_line(tmp_path: Path, file: str, old: str, new: str, says: str) -> None:
    load = {"relatives.csv": policy.load_bearings, "address_density.csv": policy.load_thresholds}[file]
    (tmp_path / file).write_text((policy.FOLDER / file).read_text(encoding="utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(PolicyError, match=says):
        load(tmp_path / file)


def test_the_scorecard_tells_no_finer_than_the_thresholds() -> None:
    bounds = {
        bound
        for rule in scorecards.shipped().all_rules
        if rule.indicator == DENSITY
        for step in rule.steps
        for bound in (step.value_from, step.value_below)
        if bound is not None
    }
    assert bounds == set(policy.thresholds())
