"""The scorecard in the shadow: every enterprise is scored by it beside the one in force, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import date, timedelta
from itertools import count
from random import Random
from typing import Any

import asyncpg
import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.common import due
from libs.common.envelope import Incoming
from libs.common.kafka import partition_of
from services.risk import scorecards
from services.risk.domain import assess, is_registered
from services.risk.repository import facts as facts_repository
from services.risk.repository import profiles
from services.risk.repository.profiles import Traits
from services.risk.use_cases import score_shadow, scoring, shadowing
from services.risk.use_cases.judging import dimensions
from tests.risk.window import TODAY, Window, delisted, listed, open_window, penalised, registered, usccs
from tests.spine import Spine, bearer

CARDS = "/v1/scorecards"
ANALYST, REGULATOR = "analyst-1", "regulator-1"
WHY = {"reason": "the comparison was looked through"}
_names = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window(spine: Spine) -> AsyncIterator[Window]:
    async with open_window(spine) as opened:
        yield opened


def document(newcomer: int = 30, from_b: int = 50) -> dict[str, Any]:
    """The shipped scorecard with other points for a young enterprise, and another beginning of class B."""
    written = copy.deepcopy(scorecards.to_document(scorecards.shipped()))
    young = next(rule for rule in written["rules"] if rule["name"] == "newly_registered")
    young["cap"] = max(young["cap"], newcomer)
    young["steps"][0]["points"] = newcomer
    written["bands"][1]["from_score"] = from_b
    written["bands"][3]["from_score"] += (number := next(_names))  # no two are the same scorecard
    return {**written, "name": f"card-{number}", "valid_from": "2026-01-01"}


async def act(window: Window, digest: str, what: str, version: int, person: str = ANALYST) -> dict[str, Any]:
    body = None if what.endswith("signature") else WHY
    answer = await window.send("POST", f"{CARDS}/{digest}{what}", body, person, version)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def put_in_shadow(window: Window, written: dict[str, Any]) -> dict[str, Any]:
    """Drafted and begun; nothing is scored by it yet. One that is compared already gives way."""
    for one in await window.every(CARDS):
        if one["state"] == "shadow":
            await act(window, one["digest"], "/withdrawal", one["version"])
    drafted = await window.send("POST", CARDS, written, ANALYST)
    assert drafted.status_code == 201, drafted.text
    return await act(window, drafted.json()["digest"], "/shadow", 1)


async def card(window: Window, digest: str) -> dict[str, Any]:
    return dict(await window.shown(f"{CARDS}/{digest}", ANALYST))


async def put_in_force(window: Window, digest: str) -> dict[str, Any]:
    proposed = await act(window, digest, "/activation", (await card(window, digest))["version"])
    return await act(window, digest, "/activation/signature", proposed["version"], REGULATOR)


async def differences(window: Window, of: str = "shadow_profile", digest: str | None = None) -> list[str]:
    """Where the rows are not what the reference makes of all the facts, by the scorecard of this digest (the one in the
    shadow), or where their counters are not a count of them."""
    async with window.rows() as connection:
        if digest is None:
            digest = await connection.fetchval("SELECT digest FROM shadow_state WHERE complete")
        scorecard = await scorecards.of_digest(connection, digest)
        dates = dict(await connection.fetch("SELECT partition, assessed_on FROM assessment"))
        rows = {row["uscc"]: row for row in await connection.fetch(f"SELECT * FROM {of}")}
        in_force = {row["uscc"]: row for row in await connection.fetch("SELECT * FROM profile")}
        known = [row["uscc"] for row in await connection.fetch("SELECT uscc FROM fact_sheet")]
        stated = {uscc: await facts_repository.facts_of(connection, [uscc]) for uscc in known}
        counters = await connection.fetch(f"SELECT * FROM {of.replace('profile', 'counter')} WHERE enterprises <> 0")
    found = []
    expected: Counter[Any] = Counter()
    for uscc in sorted(rows.keys() | {uscc for uscc, facts in stated.items() if is_registered(facts)}):
        judged, row = assess(stated[uscc], dates[partition_of(uscc)], scorecard), rows.get(uscc)
        if row is None:
            found.append(f"{uscc}: not there")
            continue
        wanted = (judged.score, judged.risk_class, judged.next_step_on)
        if wanted != (row["score"], row["risk_class"], row["next_step_on"]):
            found.append(f"{uscc}: {row['score']} {row['risk_class']} {row['next_step_on']}, the reference: {wanted}")
        beside = in_force[uscc]
        same = "partition", "announced_class", "class_changed_on", "division", "area", "foreign_invested"
        found += [f"{uscc}: {name} {row[name]}, {beside[name]}" for name in same if row[name] != beside[name]]
        traits = Traits(row["division"], row["area"], row["foreign_invested"])
        expected.update((row["partition"], *key, row["risk_class"]) for key in dimensions(traits))
    counted = {
        (row["partition"], row["dimension"], row["key"], row["risk_class"]): row["enterprises"] for row in counters
    }
    found += [f"{key}: counted {counted.get(key)}, are {expected[key]}" for key in counted.keys() | expected.keys()
              if counted.get(key, 0) != expected[key]]  # fmt: skip
    return found


_listings: dict[str, Any] = {}


def something(random: Random, uscc: str, today: date) -> Incoming:
    """An event about an enterprise, by chance."""
    on = today - timedelta(days=random.randrange(400))
    chance = random.random()
    if chance < 0.5:
        return penalised(uscc, on)
    if chance < 0.8 or uscc not in _listings:
        _listings[uscc] = (one := listed(uscc, on))
        return one
    return delisted(uscc, on, msgspec.json.decode(_listings.pop(uscc).data)["listing_id"])


def newcomer(random: Random, uscc: str, today: date) -> Incoming:
    return registered(
        uscc, today - timedelta(days=random.randrange(1500)), industry=random.choice(["5210", "6210", "7249", "1400"]),
        area=random.choice(["310106013", "310106015"]), foreign_share=random.choice(["0", "60"]),
    )  # fmt: skip


async def test_all_are_scored_by_the_shadow_and_events_keep_both(window: Window) -> None:
    random = Random(1)
    first = usccs(1, 60)
    await window.take(*(newcomer(random, uscc, TODAY) for uscc in first))
    await window.take(*(something(random, random.choice(first), TODAY) for _ in range(80)))
    begun = await put_in_shadow(window, document(10, 40))
    assert begun["progress"] == {"done": 0, "total": None, "complete_since": None}
    early = await window.send("POST", f"{CARDS}/{begun['digest']}/activation", WHY, ANALYST, begun["version"])
    assert early.json()["type"].endswith(":shadow-incomplete")

    assert await score_shadow(window.database, window.clock)

    scored = await card(window, begun["digest"])
    assert (scored["progress"]["done"], scored["progress"]["total"]) == (60, 60)
    assert scored["progress"]["complete_since"] is not None
    assert scored["history"][-1]["act"] == "scored"
    assert not await differences(window)
    assert not await score_shadow(window.database, window.clock), "there is nothing left to score"

    await window.take(*(something(random, random.choice(first), TODAY) for _ in range(30)),
                      *(newcomer(random, uscc, TODAY) for uscc in usccs(1000, 5)))  # fmt: skip
    assert not await differences(window)
    await window.at(date(2026, 6, 1))
    assert not await differences(window)
    assert not await differences(window, "profile", scorecards.shipped().digest)


class Killed(Exception):
    """As if the process had died here."""


MEANWHILE = st.sampled_from(["events", "newcomers", "a day", "killed before", "killed after", "nothing", "nothing"])


@settings(max_examples=6, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(MEANWHILE, max_size=8), st.integers(3, 40), st.integers(1, 60), st.integers(0, 2**32))
async def test_whatever_happens_meanwhile_the_shadow_is_what_the_reference_scores(
    window: Window, story: list[str], batch: int, points: int, seed: int
) -> None:
    """Between its batches events come, enterprises are registered, days pass, and the process dies: the shadow is what
    the reference makes of everything, and nothing is counted twice."""
    random = Random(seed)
    known = [row["uscc"] for row in await everything(window)]
    if len(known) < 30:
        await window.take(*(newcomer(random, uscc, window.clock.today()) for uscc in usccs(2000, 30)))
        known += usccs(2000, 30)
    begun = await put_in_shadow(window, document(points, 20 + random.randrange(60)))
    still_to_come = iter(story)

    async def meanwhile(when: str) -> None:
        what = next(still_to_come, "nothing")
        if what == "events":
            await window.take(*(something(random, random.choice(known), window.clock.today()) for _ in range(9)))
        elif what == "newcomers":
            fresh = usccs(10_000 + next(_names) * 10, 3)
            await window.take(*(newcomer(random, uscc, window.clock.today()) for uscc in fresh))
        elif what == "a day":
            await window.at(window.clock.today() + timedelta(days=random.randrange(1, 60)))
        elif what == f"killed {when}":
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shadowing, "BATCH", batch)
        patch.setattr(shadowing, "AT_ONCE", 4)
        write, index = shadowing._write, shadowing.repository.index

        async def write_and_more(*arguments: Any) -> None:
            await meanwhile("before")
            await write(*arguments)
            await meanwhile("after")

        async def index_and_more(connection: asyncpg.Connection) -> None:
            await meanwhile("before")
            await index(connection)
            await meanwhile("after")

        patch.setattr(shadowing, "_write", write_and_more)
        patch.setattr(shadowing.repository, "index", index_and_more)
        for _ in range(len(story) + 6):
            with suppress(Killed, ExceptionGroup):
                if await score_shadow(window.database, window.clock):
                    break  # False: more was touched than a round catches up with; the next one goes on
    await window.at(window.clock.today())
    scored = (await card(window, begun["digest"]))["progress"]
    assert scored["done"] == scored["total"] == len(await everything(window))
    assert not await differences(window)
    await window.take(*(something(random, random.choice(known), window.clock.today()) for _ in range(5)))
    assert not await differences(window)


async def everything(window: Window) -> list[Any]:
    async with window.rows() as connection:
        return list(await connection.fetch("SELECT * FROM profile ORDER BY uscc"))


async def test_of_two_processes_one_scores(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadowing, "BATCH", 10)
    await put_in_shadow(window, document(11))
    both = await asyncio.gather(*(score_shadow(window.database, window.clock) for _ in range(2)))
    assert sorted(both) == [False, True]
    assert not await differences(window)


async def test_a_scorecard_that_leaves_the_shadow_is_scored_by_no_longer(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = await put_in_shadow(window, document(12))
    write = shadowing._write

    async def withdrawn_meanwhile(*arguments: Any) -> None:
        await act(window, begun["digest"], "/withdrawal", begun["version"])
        await write(*arguments)

    monkeypatch.setattr(shadowing, "_write", withdrawn_meanwhile)
    with pytest.raises(ExceptionGroup):
        await score_shadow(window.database, window.clock)
    monkeypatch.undo()
    assert not await score_shadow(window.database, window.clock)
    again = await act(window, begun["digest"], "/shadow", (await card(window, begun["digest"]))["version"])
    assert again["progress"]["complete_since"] is None
    await window.take(penalised(usccs(1, 1)[0], TODAY))
    assert await score_shadow(window.database, window.clock)
    assert not await differences(window)


async def test_before_anybody_decides_the_comparison_tells_who_would_change(window: Window) -> None:
    new = await put_in_shadow(window, document(29, 10))
    path = f"{CARDS}/{new['digest']}/comparison"
    early = await window.get(path)
    assert (early.status_code, early.json()["type"].rpartition(":")[2]) == (409, "shadow-incomplete")
    assert await score_shadow(window.database, window.clock)

    async with window.rows() as connection:
        both = await connection.fetch(
            "SELECT p.*, s.risk_class AS then, s.score AS then_score FROM profile p JOIN shadow_profile s USING (uscc)"
        )
    told = await window.shown(path)
    counted = Counter(("ABCD"[row["risk_class"]], "ABCD"[row["then"]]) for row in both)
    assert told["matrix"] == {one: {other: counted[one, other] for other in "ABCD"} for one in "ABCD"}
    assert told["in_force"] == {one: sum(told["matrix"][one].values()) for one in "ABCD"}
    assert told["shadow"] == {one: sum(row[one] for row in told["matrix"].values()) for one in "ABCD"}
    assert told["rise"] == sum(row["then"] > row["risk_class"] for row in both) > 0
    assert (told["published"][0]["place"], told["notice"][:12]) != ("", "")
    for by, key, mine in (
        ("sector", "H", lambda row: row["division"] in (61, 62)),
        ("area", "310106015", lambda row: row["area"] == "310106015"),
        ("ownership", "foreign", lambda row: row["foreign_invested"]),
    ):
        [group] = [one for one in (await window.shown(f"{path}?by={by}"))["groups"] if one["key"] == key]
        among = [row for row in both if mine(row)]
        assert group["shadow"] == {letter: sum(row["then"] == n for row in among) for n, letter in enumerate("ABCD")}
        assert group["in_force"]["A"] == sum(row["risk_class"] == 0 for row in among)
        assert (group["rise"], group["fall"]) == (
            sum(row["then"] > row["risk_class"] for row in among), sum(row["then"] < row["risk_class"] for row in among)
        )  # fmt: skip

    found = await window.every(f"{path}/enterprises?limit=7")
    assert [one["uscc"] for one in found] == sorted(row["uscc"] for row in both if row["then"] != row["risk_class"])
    scores = {row["uscc"]: (row["score"], row["then_score"]) for row in both}
    assert {one["uscc"]: (one["score_before"], one["score_after"]) for one in found}.items() <= scores.items()
    some = await window.every(f"{path}/enterprises?limit=3&before=A&then=B")
    assert [one["uscc"] for one in some] == [
        one["uscc"] for one in found if (one["before"], one["after"]) == ("A", "B")
    ]
    unasked = await window.client.get(f"{path}/enterprises", headers=bearer(REGULATOR))
    assert unasked.json()["type"].endswith(":purpose-required")
    assert (await window.get(path, "applicant-1")).status_code == 403
    in_force = (await window.shown(path))["in_force_digest"]
    assert (await window.get(f"{CARDS}/{in_force}/comparison")).json()["type"].endswith(":scorecard-wrong-state")


async def test_two_people_put_the_shadow_in_force_and_what_changes_is_announced_once(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once for everybody who reads; the announcements follow in bounded steps; and back again."""
    monkeypatch.setattr(scoring, "STEP_ROWS", 5)
    before = {row["uscc"]: row for row in await everything(window)}
    [old] = [one for one in await window.every(CARDS) if one["state"] == "active"]
    new = await put_in_shadow(window, document(29, 10))
    assert await score_shadow(window.database, window.clock)
    async with window.rows() as connection:
        last = await connection.fetchval("SELECT coalesce(max(position), 0) FROM class_change")
        dates = await profiles.dates(connection)
        beside = {row["uscc"]: row for row in await connection.fetch("SELECT * FROM shadow_profile")}
    moved = {uscc for uscc, row in beside.items() if row["risk_class"] != before[uscc]["risk_class"]}
    assert len(moved) > 10

    answer = await put_in_force(window, new["digest"])
    assert answer["state"] == "active"
    assert {row["uscc"]: row["score"] for row in await everything(window)} == {
        uscc: row["score"] for uscc, row in beside.items()
    }
    await window.at(window.clock.today())

    async with window.rows() as connection:
        said = await connection.fetch("SELECT *, xmin::text FROM class_change WHERE position > $1", last)
        told = await connection.fetch(
            "SELECT subject FROM outbox WHERE type = 'risk.class_changed.v1' AND data LIKE $1",
            f"%{new['digest']}%".encode(),
        )
    assert Counter(row["uscc"] for row in said) == Counter(moved) == Counter(row["subject"] for row in told)
    assert all((row["before"], row["after"]) == (before[row["uscc"]]["risk_class"], beside[row["uscc"]]["risk_class"])
               for row in said)  # fmt: skip
    assert all(row["assessed_on"] == dates[partition_of(row["uscc"])] for row in said)
    assert {row["scorecard_digest"] for row in said} == {new["digest"]}
    assert max(Counter(row["xmin"] for row in said).values()) <= 5
    assert not await differences(window, "profile", new["digest"])
    assert not await differences(window, "shadow_profile", old["digest"])

    offered = await window.send("POST", f"{CARDS}/rollback", WHY, ANALYST)
    assert offered.status_code == 200, offered.text
    back = await act(window, old["digest"], "/activation/signature", offered.json()["version"], REGULATOR)
    assert (back["state"], back["history"][-1]["act"]) == ("active", "rolled_back_to")
    await window.at(window.clock.today())
    assert not await differences(window, "profile", old["digest"])
    assert not await differences(window, "shadow_profile", new["digest"])
    after = {row["uscc"]: row["announced_class"] for row in await everything(window)}
    assert after == {uscc: row["announced_class"] for uscc, row in before.items()}


async def test_a_rollback_amid_the_announcements_takes_back_just_what_was_said(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "STEP_ROWS", 3)
    [old] = [one for one in await window.every(CARDS) if one["state"] == "active"]
    new = await put_in_shadow(window, document(28, 9))
    assert await score_shadow(window.database, window.clock)
    async with window.rows() as connection:
        last = await connection.fetchval("SELECT max(position) FROM class_change")
    await put_in_force(window, new["digest"])
    for _ in range(3):
        assert await due.fire(window.service, window.database, window.clock)
    async with window.rows() as connection:
        said = await connection.fetch("SELECT uscc, after FROM class_change WHERE position > $1", last)
    assert said
    offered = await window.send("POST", f"{CARDS}/rollback", WHY, ANALYST)
    await act(window, old["digest"], "/activation/signature", offered.json()["version"], REGULATOR)
    await window.at(window.clock.today())
    async with window.rows() as connection:
        all_said = await connection.fetch("SELECT uscc FROM class_change WHERE position > $1", last)
    assert Counter(row["uscc"] for row in all_said) == Counter({row["uscc"]: 2 for row in said})
    assert not await differences(window, "profile", old["digest"])


async def test_a_long_reading_is_not_waited_for_and_nothing_is_changed(window: Window) -> None:
    new = await put_in_shadow(window, document(27))
    assert await score_shadow(window.database, window.clock)
    proposed = await act(window, new["digest"], "/activation", (await card(window, new["digest"]))["version"])
    async with window.rows() as reader, reader.transaction():
        await reader.fetchval("SELECT count(*) FROM profile")
        refused = await window.send(
            "POST", f"{CARDS}/{new['digest']}/activation/signature", None, REGULATOR, proposed["version"]
        )
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert (await card(window, new["digest"]))["state"] == "shadow"
    assert (await act(window, new["digest"], "/activation/signature", proposed["version"], REGULATOR))[
        "state"
    ] == "active"
    await window.at(window.clock.today())
    assert not await differences(window, "profile", new["digest"])


async def test_a_release_with_another_scorecard_changes_nothing(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await everything(window)
    [active] = [one for one in await window.every(CARDS) if one["state"] == "active"]
    another = scorecards.from_document(document(3))
    monkeypatch.setattr(scorecards, "shipped", lambda: another)
    assert window.service.on_start is not None
    await window.service.on_start(window.database, window.clock)
    assert not await score_shadow(window.database, window.clock)
    await window.at(window.clock.today())
    assert await everything(window) == before
    [still] = [one for one in await window.every(CARDS) if one["state"] == "active"]
    assert still["digest"] == active["digest"]


async def test_a_new_day_costs_what_steps_on_it(window: Window) -> None:
    """Of all rows just those are looked at and written whose step has come, by an index."""
    async with window.rows() as connection:
        await connection.execute("""
            INSERT INTO profile SELECT '9131' || lpad(n::text, 13, '0') || 'Z', 0, 0, 0, 0, date '2199-01-01', 0, 52,
                '310106013', false, NULL, 1 FROM generate_series(1, 20000) n""")
        await connection.execute("ANALYZE profile")
        day = await connection.fetchval("SELECT min(next_step_on) FROM profile WHERE partition = 0")
        stepping = await connection.fetchval(
            "SELECT count(*) FROM profile WHERE partition = 0 AND next_step_on = $1", day
        )
        plan = "\n".join(row[0] for row in await connection.fetch(
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) "
            + profiles.STEPPING.format(shadow="").replace("$1", "0").replace("$2", f"'{day}'").replace("$3", "5000")
        ))  # fmt: skip
        mark = await connection.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    assert "profile_by_step" in plan
    assert f"rows={stepping}" in plan.replace(".00", "")
    assert "Rows Removed" not in plan

    await window.at(day)

    async with window.rows() as connection:
        written = await connection.fetchval(
            "SELECT count(*) FROM profile WHERE partition = 0 AND xmin::text::bigint >= $1", mark
        )
        await connection.execute("DELETE FROM profile WHERE uscc LIKE '%Z'")
    assert 0 < written == stepping
