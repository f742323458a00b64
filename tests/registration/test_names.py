"""The name of an enterprise: what may stand in it, whose it is, how long it is kept, and when it is free again."""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, partial
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.registration import domain, policy, tables, use_cases
from services.registration.domain import names
from services.registration.domain.names import Plan
from services.registration.domain.policy import NameKind
from services.registration.forms import NameReservationForm
from services.registration.use_cases import Judged
from tests.registration.registry import START, WEI, Registry
from tests.spine import Spine, get, post


@cache
def law() -> domain.Policy:
    return policy.current()


def plan(
    trade: str, industry: str = "餐饮", form: str = "有限公司", division: str = "上海", activity: str = "6210",
    kind: Any = "limited_company", share: str = "60", investors: tuple[str, ...] = (),
) -> Plan:  # fmt: skip
    return Plan(domain.EnterpriseName(division, trade, industry, form), kind, activity, Decimal(share), investors)


class TestWhatMayStandInAName:
    @pytest.mark.parametrize(
        ("asked", "outcome", "code", "article"),
        [
            (plan("ABC"), "refused", "name_not_chinese", "5"),
            (plan("青禾8"), "refused", "name_not_chinese", "5"),
            (plan("青禾", division="静安区"), "refused", "name_division_elsewhere", "7"),
            (plan("青禾", division="北京"), "refused", "name_division_elsewhere", "7"),
            (plan("黄浦"), "review", "name_is_a_place", "8"),
            (plan("餐饮"), "review", "name_is_an_industry", "8"),
            (plan("青禾", form="股份有限公司"), "refused", "name_form_does_not_fit", "10"),
            (plan("青禾", kind="joint_stock_company"), "refused", "name_form_does_not_fit", "10"),
            (plan("青禾", kind="partnership"), "review", "name_form_does_not_fit", "10"),
            (plan("辱华"), "review", "name_state_dignity", "11"),
            (plan("黑社会"), "review", "name_public_order", "11"),
            (plan("共青团之家"), "review", "name_party_state_body", "11"),
            (plan("法国"), "refused", "name_foreign_state", "11"),
            (plan("法国梧桐"), "review", "name_foreign_state", "11"),
            (plan("联合国之友"), "review", "name_foreign_state", "11"),
            (plan("赌博王"), "refused", "name_obscene_violent", "11"),
            (plan("蛮夷"), "review", "name_discrimination", "11"),
            (plan("二奶"), "review", "name_public_morals", "11"),
            (plan("国家级青禾"), "review", "name_misleading", "11"),
            (plan("青禾", "银行"), "review", "name_otherwise_forbidden", "11"),
            (plan("中华青禾"), "review", "name_state_approval", "12"),
            (plan("青禾", "全国物流"), "review", "name_sector_qualifier", "12"),
            (plan("青禾（中国）", "投资"), "review", "name_china_of_a_foreign_trade_name", "12"),
            (plan("青禾（中国）", "投资", share="50"), "refused", "name_china_not_open", "12"),
        ],
        ids=lambda value: value.name.full if isinstance(value, Plan) else str(value),
    )
    def test_each_ground_names_its_article_and_source(self, asked: Plan, outcome: str, code: str, article: str) -> None:
        answer = names.check(asked, [], law())
        assert answer.outcome == outcome
        ground = next(one for one in answer.grounds if one.code == code)
        assert (ground.article, bool(ground.source)) == (article, True)

    @pytest.mark.parametrize(
        "asked",
        [
            plan("青禾"),
            plan("青禾", division="上海市"),
            plan("青禾", division="上海市静安区"),
            plan("示例一五"),
            plan("青禾", form="有限责任公司"),
            plan("青禾", form="合伙企业（有限合伙）", kind="partnership"),
            plan("青禾", form="股份有限公司", kind="joint_stock_company"),
        ],
        ids=lambda asked: asked.name.full,
    )
    def test_a_plain_name_has_nothing_against_it(self, asked: Plan) -> None:
        assert names.check(asked, [], law()) == names.NameAnswer("accepted", ())

    def test_all_grounds_are_given_at_once(self) -> None:
        answer = names.check(plan("赌博A", division="北京"), [], law())
        assert {one.code for one in answer.grounds} >= {
            "name_not_chinese", "name_division_elsewhere", "name_obscene_violent",
        }  # fmt: skip

    def test_each_of_the_nine_kinds_has_words_and_only_the_law_itself_refuses(self) -> None:
        assert {row.kind for row in law().name_words} == set(get_args(NameKind))
        sure = [row for row in law().name_words if row.outcome == "refuse"]
        assert {row.kind for row in sure} == {"foreign_state", "obscene_violent"}
        doubted = tuple(replace(row, confidence="memory") for row in law().name_words)
        assert names.check(plan("赌博王"), [], replace(law(), name_words=doubted)).outcome == "review"

    @given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=10))
    def test_any_text_gets_an_answer_and_only_chinese_is_accepted(self, trade: str, industry: str) -> None:
        answer = names.check(plan(trade, industry), [], law())
        if answer.outcome == "accepted":
            assert all(not character.isascii() or character in "()" for character in trade + industry)


class TestLikeness:
    @pytest.mark.parametrize(
        ("one", "other", "alike"),
        [
            ("青禾", "清河", "sound"),
            ("青禾", "新青禾", "core"),
            ("青禾", "青禾国际", "core"),
            ("青禾（上海）", "青禾上海", "trade"),
            ("青 禾", "青禾", "trade"),
            ("青禾", "远帆", ""),
        ],
    )
    def test_names_are_found_by_what_they_say_and_how_they_sound(self, one: str, other: str, alike: str) -> None:
        a, b = (names.keys(plan(trade).name, "6210", law()) for trade in (one, other))
        order = ("trade", "core", "sound")
        found = next((key for key in order if getattr(a, key) == getattr(b, key)), "")
        assert found == alike

    def test_two_months_end_on_a_day_that_the_month_has(self) -> None:
        assert names.months_after(date(2026, 3, 2), 2) == date(2026, 5, 2)
        assert names.months_after(date(2025, 12, 31), 2) == date(2026, 2, 28)
        assert names.months_after(date(2026, 1, 5), 12) == date(2027, 1, 5)


def trade() -> str:
    """A trade name that no other test has."""
    return "".join("甲乙丙丁戊己庚辛壬癸天地山川日月"[int(digit, 16)] for digit in uuid4().hex[:10])


def name_form(trade: str, **changes: Any) -> dict[str, Any]:
    name = {"division": "上海", "trade_name": trade, "industry": "餐饮", "form": "有限公司"}
    return {"enterprise_name": name, "enterprise_type": "limited_company", "activity": "6210", **changes}


async def reserve(registry: Registry, trade: str, **changes: Any) -> tables.NameHeld:
    body = NameReservationForm.model_validate(name_form(trade, **changes))
    return await registry.act(
        lambda session: use_cases.reserve_name(
            session, body.plan(), registry.owner, registry.law, registry.clock, id=uuid4(),
            prior_approval=body.prior_approval,
        )
    )  # fmt: skip


async def like(registry: Registry, trade: str, **changes: Any) -> names.NameAnswer:
    body = NameReservationForm.model_validate(name_form(trade, **changes))
    async with registry.connection() as connection:
        return await use_cases.check_name(connection, body.plan(), registry.law, registry.clock.today())


def refusals(refused: pytest.ExceptionInfo[domain.FormReturned]) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in refused.value.faults]


TAKEN = [("enterprise_name.trade_name", "name_taken")]


async def test_a_name_held_for_one_applicant_is_free_again_after_two_months(registry: Registry) -> None:
    mine = trade()
    held = await reserve(registry.as_("applicant-a").on(date(2026, 3, 2)), mine)
    assert held.until == date(2026, 5, 2)
    other = registry.as_("applicant-b")
    with pytest.raises(domain.FormReturned) as refused:
        await reserve(other.on(date(2026, 5, 2)), mine)
    assert refusals(refused) == TAKEN
    assert refused.value.faults[0].params["word"] == f"上海{mine}餐饮有限公司"
    assert (await reserve(other.on(date(2026, 5, 3)), mine)).until == date(2026, 7, 3), "even if no ticker has run"
    assert ("name_ends", date(2026, 5, 3)) in await registry.time_passes(until=date(2026, 5, 3))
    assert await registry.find("SELECT 1 FROM name_held WHERE id = $1", held.id) is None
    assert (await like(registry.on(date(2026, 5, 3)), mine)).outcome == "refused", "the other one holds it now"


async def test_where_an_approval_comes_first_a_name_is_kept_for_a_year(registry: Registry) -> None:
    assert (await reserve(registry, trade(), prior_approval=True)).until == date(2027, 1, 5)


async def test_a_released_name_is_free_at_once_and_only_its_holder_releases_it(registry: Registry) -> None:
    mine = trade()
    held = await reserve(registry, mine)
    with pytest.raises(use_cases.NoSuchReservation):
        await registry.act(lambda session: use_cases.release_name(session, held.id, "applicant-2"))
    await registry.act(lambda session: use_cases.release_name(session, held.id, registry.owner))
    assert (await reserve(registry.as_("applicant-2"), mine)).holder == "applicant-2"


async def test_of_two_who_want_one_name_at_once_one_gets_it(registry: Registry) -> None:
    mine = trade()
    wanted = [reserve(registry.as_(f"applicant-{number}"), mine) for number in range(4)]
    outcomes = await asyncio.gather(*wanted, return_exceptions=True)
    assert sorted(type(one).__name__ for one in outcomes) == ["FormReturned"] * 3 + ["NameHeld"]


async def test_a_reserved_name_is_used_at_registration_by_its_holder_alone(registry: Registry) -> None:
    mine = trade()
    held = await reserve(registry, mine)
    name = name_form(mine)["enterprise_name"]
    with pytest.raises(domain.FormReturned) as refused:
        await registry.as_("applicant-2").submit(enterprise_name=name)
    assert refusals(refused) == TAKEN
    judged = await registry.submit(enterprise_name=name)
    row = await registry.row("SELECT * FROM name_held WHERE id = $1", held.id)
    assert (row["state"], row["uscc"], row["until"]) == ("registered", judged.uscc, None)
    await registry.time_passes(until=date(2026, 4, 1))
    with pytest.raises(domain.FormReturned):
        await registry.submit(enterprise_name=name)
    with pytest.raises(domain.FormReturned):
        await reserve(registry, mine)


async def test_another_industry_may_use_the_trade_name_and_an_investor_may_pass_it_on(registry: Registry) -> None:
    mine = trade()
    await registry.submit(enterprise_name=name_form(mine)["enterprise_name"])
    full = f"上海{mine}餐饮有限公司"
    software = {"enterprise_name": {**name_form(mine)["enterprise_name"], "industry": "软件"}, "activity": "6513"}
    assert (await like(registry, mine, **software)).outcome == "accepted"
    assert (await like(registry, mine, **{**software, "activity": "6220"})).outcome == "refused", "the same division"
    assert (await like(registry, mine)).outcome == "refused"
    assert (await like(registry, mine, investors=[full])).outcome == "accepted"


async def test_a_name_that_sounds_alike_is_shown_and_refuses_nothing(registry: Registry) -> None:
    await registry.submit(enterprise_name=name_form("青禾云帆")["enterprise_name"])
    answer = await like(registry, "清河云帆")
    assert answer.outcome == "accepted"
    assert [(one.full_name, one.likeness) for one in answer.alike] == [("上海青禾云帆餐饮有限公司", "same_sound")]
    assert [one.likeness for one in (await like(registry, "新青禾云帆")).alike] == ["same_core"]


async def test_the_name_of_an_enterprise_that_has_left_is_free_a_year_later(registry: Registry) -> None:
    mine = trade()
    judged = await registry.submit(enterprise_name=name_form(mine)["enterprise_name"])
    await registry.deregister(judged.uscc, "simplified")
    await registry.time_passes(until=date(2026, 2, 1))
    left = (await registry.enterprise(judged.uscc))["deregistered_on"]
    assert left == date(2026, 1, 26)
    with pytest.raises(domain.FormReturned):
        await reserve(registry.on(date(2027, 1, 25)), mine)
    assert (await reserve(registry.on(date(2027, 1, 26)), mine)).held_since == date(2027, 1, 26)


async def test_a_name_that_needs_judgement_goes_to_an_officer_with_its_ground(registry: Registry) -> None:
    mine = f"法国梧桐{trade()}"
    with pytest.raises(domain.FormReturned) as refused:
        await reserve(registry, mine)
    assert refusals(refused) == [("enterprise_name.trade_name", "name_foreign_state")]
    judged = await registry.submit(enterprise_name=name_form(mine)["enterprise_name"])
    assert (judged.status, [ground["word"] for ground in judged.name_grounds]) == ("in_review", ["法国"])
    assert judged.decision["outcome"] == "accepted", "the negative list has nothing against it"
    with pytest.raises(domain.FormReturned):
        await registry.as_("applicant-2").submit(enterprise_name=name_form(mine)["enterprise_name"])
    await registry.claim(judged.id, WEI)
    assert (await registry.decide(judged.id, "register", WEI)).status == "registered"


async def renamed(registry: Registry, uscc: str, trade: str, version: int = 1) -> Judged:
    return await registry.change(uscc, version, enterprise_name=name_form(trade)["enterprise_name"])


async def test_an_enterprise_takes_another_name_and_its_former_one_is_free_a_year_later(registry: Registry) -> None:
    former, mine = trade(), trade()
    uscc = (await registry.submit(enterprise_name=name_form(former)["enterprise_name"])).uscc or ""
    judged = await renamed(registry.on(date(2026, 3, 2)), uscc, mine)
    assert (judged.decision["outcome"], judged.version) == ("accepted", 2)
    assert (await registry.enterprise(uscc))["name"] == f"上海{mine}餐饮有限公司"
    held = await registry.row("SELECT * FROM name_held WHERE uscc = $1", uscc)
    assert (held["state"], held["trade"]) == ("registered", mine)
    assert [act for act, _ in await registry.told(uscc)] == ["enterprise_registered", "enterprise_changed"]
    spans = [
        (row["valid_from"], row["valid_to"], json.loads(row["content"])["name"])
        for row in await registry.rows(
            "SELECT * FROM enterprise_span WHERE uscc = $1 AND superseded_at IS NULL ORDER BY valid_from", uscc
        )
    ]
    assert spans == [
        (START, date(2026, 3, 2), f"上海{former}餐饮有限公司"), (date(2026, 3, 2), None, f"上海{mine}餐饮有限公司"),
    ]  # fmt: skip
    other = registry.as_("applicant-2")
    with pytest.raises(domain.FormReturned) as refused:
        await reserve(other.on(date(2027, 3, 1)), former)
    assert refusals(refused) == TAKEN
    assert ("name_ends", date(2027, 3, 2)) in await registry.time_passes(until=date(2027, 3, 2))
    assert (await reserve(other.on(date(2027, 3, 2)), former)).trade == former


async def test_a_change_uses_the_name_that_its_owner_has_reserved_and_no_one_elses(registry: Registry) -> None:
    mine = trade()
    uscc = (await registry.submit()).uscc or ""
    held = await reserve(registry.as_("applicant-2"), mine)
    with pytest.raises(domain.FormReturned) as refused:
        await renamed(registry, uscc, mine)
    assert refusals(refused) == TAKEN
    await registry.act(lambda session: use_cases.release_name(session, held.id, "applicant-2"))
    kept = await reserve(registry, mine)
    assert (await renamed(registry, uscc, mine)).version == 2
    row = await registry.row("SELECT * FROM name_held WHERE id = $1", kept.id)
    assert (row["state"], row["uscc"], row["until"]) == ("registered", uscc, None)


async def test_only_the_industry_of_a_name_changes(registry: Registry) -> None:
    mine = trade()
    uscc = (await registry.submit(enterprise_name=name_form(mine)["enterprise_name"])).uscc or ""
    name = name_form(mine)["enterprise_name"]
    await registry.change(uscc, 1, enterprise_name={**name, "industry": "餐饮管理"})
    assert (await registry.enterprise(uscc))["name"] == f"上海{mine}餐饮管理有限公司"


async def test_a_name_that_may_not_stand_is_not_taken_by_a_change(registry: Registry) -> None:
    mine = trade()
    uscc = (await registry.submit(enterprise_name=name_form(mine)["enterprise_name"])).uscc or ""
    for asked, code in (
        (mine, "name_unchanged"),
        (f"法国{mine}", "name_foreign_state"),
        ("短", "trade_name_too_short"),
    ):
        with pytest.raises(domain.FormReturned) as refused:
            await renamed(registry, uscc, asked)
        assert [fault.code for fault in refused.value.faults] == [code]
    assert (await registry.enterprise(uscc))["version"] == 1


async def test_a_refused_change_takes_no_name(registry: Registry) -> None:
    mine = trade()
    uscc = (await registry.submit()).uscc or ""
    asked = name_form(mine)["enterprise_name"]
    judged = await registry.change(uscc, 1, enterprise_name=asked, activities=["0422"])
    assert judged.decision["outcome"] == "refused"
    assert await registry.find("SELECT 1 FROM name_held WHERE trade = $1", mine) is None


async def test_of_those_who_take_one_name_at_once_by_change_and_by_form_one_gets_it(registry: Registry) -> None:
    mine = trade()
    existing = [(await registry.submit()).uscc or "" for _ in range(2)]
    outcomes = await asyncio.gather(
        *(renamed(registry, uscc, mine) for uscc in existing),
        registry.submit(enterprise_name=name_form(mine)["enterprise_name"]),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in outcomes) == ["FormReturned", "FormReturned", "Judged"]
    rows = await registry.rows("SELECT state FROM name_held WHERE trade = $1", mine)
    assert [row["state"] for row in rows] == ["registered"]


async def test_a_name_under_review_outlasts_its_reservation(registry: Registry) -> None:
    mine = trade()
    name = name_form(mine)["enterprise_name"]
    await reserve(registry, mine)
    judged = await registry.on(date(2026, 3, 5)).submit(enterprise_name=name, activities=["6311"])
    assert judged.status == "in_review"
    await registry.time_passes(until=date(2026, 3, 9))
    later = registry.on(date(2026, 3, 9))
    with pytest.raises(domain.FormReturned):
        await reserve(later.as_("applicant-2"), mine)
    await later.claim(judged.id, WEI)
    row = await later.decide(judged.id, "register", WEI)
    held = await registry.row("SELECT * FROM name_held WHERE uscc = $1", row.uscc)
    assert (held["state"], held["trade"]) == ("registered", mine)


@pytest.mark.parametrize("reserved", [True, False])
async def test_the_name_of_an_application_that_ends_is_given_back(registry: Registry, reserved: bool) -> None:
    mine = trade()
    if reserved:
        await reserve(registry, mine)
    refused = await registry.submit(enterprise_name=name_form(mine)["enterprise_name"], activities=["0422"])
    assert refused.status == "refused"
    state = await registry.find("SELECT state FROM name_held WHERE full_name = $1", f"上海{mine}餐饮有限公司")
    assert (state and state["state"]) == ("reserved" if reserved else None)
    judged = await registry.submit(enterprise_name=name_form(mine)["enterprise_name"])
    assert judged.status == "registered"


async def test_names_of_before_are_entered_when_the_service_starts(registry: Registry) -> None:
    mine = trade()
    judged = await registry.submit(enterprise_name=name_form(mine)["enterprise_name"])
    async with registry.connection() as connection:
        await connection.execute("DELETE FROM name_held WHERE uscc = $1", judged.uscc)
    assert (await like(registry, mine)).outcome == "accepted"
    await use_cases.enter_missing_names(registry.database, registry.law)
    assert (await like(registry, mine)).outcome == "refused"


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "release", "file", "leave", "wait"]),
        st.sampled_from(["applicant-a", "applicant-b"]),
        st.sampled_from([0, 1]),
    ),
    max_size=14,
)


@dataclass
class Told:
    """What people know of one name: whose it is, in which state, until when."""

    state: str = "free"
    holder: str = ""
    until: date = date.max
    reservation: UUID | None = None
    uscc: str = ""


@settings(max_examples=25, deadline=None)
@given(ACTS)
async def test_whatever_people_do_a_name_is_only_one_of_theirs(
    registry: Registry, acts: list[tuple[str, str, int]]
) -> None:
    trades = [trade(), trade()]
    known, today = [Told(), Told()], START
    for act, who, number in acts:
        at, one, name = registry.as_(who).on(today), known[number], trades[number]
        if act == "wait":
            today = names.months_after(today, 1)
            await registry.on(today).time_passes(until=today)
            known = [Told() if told.until < today else told for told in known]
        elif act == "reserve":
            if one.state == "free":
                row = await reserve(at, name)
                known[number] = Told("reserved", who, row.until or date.max, row.id)
            else:
                with pytest.raises(domain.FormReturned):
                    await reserve(at, name)
        elif act == "release" and one.reservation:
            release = partial(use_cases.release_name, id=one.reservation, holder=who)
            if one.state == "reserved" and one.holder == who:
                await at.act(release)
                known[number] = Told()
            else:
                with pytest.raises(use_cases.NoSuchReservation):
                    await at.act(release)
        elif act == "file":
            if one.state == "free" or (one.state == "reserved" and one.holder == who):
                judged = await at.submit(enterprise_name=name_form(name)["enterprise_name"])
                known[number] = Told("registered", who, date.max, one.reservation, judged.uscc or "")
            else:
                with pytest.raises(domain.FormReturned):
                    await at.submit(enterprise_name=name_form(name)["enterprise_name"])
        elif act == "leave" and one.state == "registered" and one.holder == who:
            await at.act(partial(use_cases.leave_name, uscc=one.uscc, policy=at.law, clock=at.clock))
            free = names.months_after(today, 12)
            known[number] = Told("left", "", free - timedelta(days=1), one.reservation)
    for told, name in zip(known, trades, strict=True):
        row = await registry.find("SELECT state FROM name_held WHERE trade = $1", name)
        assert (row["state"] if row else "free") == told.state


async def test_anyone_looks_a_name_up_and_an_applicant_keeps_it(spine: Spine) -> None:
    spine.up("registration")
    mine = trade()
    asked = {**name_form(mine), "foreign_share": "60"}
    free = await post(spine, "/v1/name-checks", asked, person=None)
    assert (free.status_code, free.json()) == (200, {"outcome": "accepted", "grounds": [], "alike": []})
    kept = await post(spine, "/v1/name-reservations", asked, person="agent-1")
    assert (kept.status_code, kept.json()["until"]) == (201, "2026-03-05")
    id = UUID(kept.json()["id"])
    assert [
        UUID(one["id"]) for one in (await get(spine, "/v1/name-reservations", person="agent-1")).json()["items"]
    ] == [id]
    others = (await get(spine, "/v1/name-reservations", person="applicant-3")).json()
    assert others == {"items": [], "next": None}
    again = await post(spine, "/v1/name-reservations", asked, person="applicant-2")
    (fault,) = again.json()["errors"]
    assert (again.status_code, fault["field"]) == (422, "enterprise_name.trade_name")
    assert f"上海{mine}餐饮有限公司" in fault["detail"]
    assert START.isoformat() == kept.json()["reserved_on"]
    path = f"/v1/name-reservations/{id}"
    assert (await post(spine, path, method="DELETE")).status_code == 404
    assert (await post(spine, path, method="DELETE", person="agent-1")).status_code == 200
