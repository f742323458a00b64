"""History on two clocks: what held on a day, as it was known at a moment; corrections keep what was known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration import use_cases
from services.registration.domain import FormReturned
from services.registration.domain.history import Span, amended
from services.registration.forms import CorrectedForm
from services.registration.repository import history
from tests.registration.registry import WEI, Registry
from tests.spine import Spine, change, get, post, submit

FIRST, DAYS = date(2026, 1, 1), 30
HOME, AWAY, THIRD = "310106012", "310106013", "310106011"


@st.composite
def periods(draw: st.DrawFn) -> tuple[date, date | None]:
    since = draw(st.integers(0, DAYS - 2))
    until = draw(st.none() | st.integers(since + 1, DAYS - 1))
    return FIRST + timedelta(since), None if until is None else FIRST + timedelta(until)


@given(
    st.lists(st.tuples(periods(), st.dictionaries(st.sampled_from("ab"), st.integers(0, 3), min_size=1)), max_size=8)
)
def test_spans_say_of_each_day_what_was_said_of_it_last(
    said: list[tuple[tuple[date, date | None], Mapping[str, int]]],
) -> None:
    """Against a table with a row for each day. Spans never overlap and leave no day out."""
    by_day: dict[date, dict[str, Any]] = {FIRST + timedelta(n): {"a": -1, "b": -1} for n in range(DAYS)}
    spans = [Span(FIRST, None, {"a": -1, "b": -1})]
    for (since, until), fields in said:
        replaced = list(amended(spans, since, until, fields))
        gone = [old for old, _ in replaced]
        spans = [span for span in spans if not any(span is old for old in gone)]
        spans += [piece for _, pieces in replaced for piece in pieces]
        for day, held in by_day.items():
            if since <= day and (until is None or day < until):
                held |= fields
    for day, held in by_day.items():
        of_day = [s for s in spans if s.valid_from <= day and (s.valid_to is None or day < s.valid_to)]
        assert [dict(span.content) for span in of_day] == [held]


async def registered(registry: Registry) -> str:
    uscc = (await registry.submit()).uscc
    assert uscc is not None
    return uscc


async def correct(registry: Registry, uscc: str, since: date, until: date, **corrected: Any) -> None:
    command = CorrectedForm.model_validate(corrected).command()
    await registry.act(
        lambda session: use_cases.correct_history(
            session, uscc, since, until, command, "录入有误。", WEI, registry.law, registry.clock, id=uuid4()
        )
    )


async def area(registry: Registry, uscc: str, valid_at: date, known_at: date | None = None) -> str | None:
    """`known_at`: at the end of that day."""
    moment = datetime(9999, 1, 1, tzinfo=UTC)
    if known_at is not None:
        moment = datetime(known_at.year, known_at.month, known_at.day, 16, tzinfo=UTC)
    async with registry.connection() as connection:
        found = await history.held(connection, uscc, valid_at, moment)
    return None if found is None else history.read(found["content"])["area"]  # type: ignore[return-value]


async def test_a_change_holds_from_its_day_on(registry: Registry) -> None:
    uscc = await registered(registry)
    await registry.on(date(2026, 3, 2)).change(uscc, area=AWAY)
    assert await area(registry, uscc, date(2026, 1, 4)) is None
    assert await area(registry, uscc, date(2026, 1, 5)) == HOME
    assert await area(registry, uscc, date(2026, 3, 1)) == HOME
    assert await area(registry, uscc, date(2026, 3, 2)) == AWAY
    assert await area(registry, uscc, date(2026, 3, 2), known_at=date(2026, 3, 1)) == HOME


async def test_a_correction_of_the_past_keeps_what_was_known(registry: Registry) -> None:
    """In May it is found that from the registration to the end of January the address was another."""
    uscc = await registered(registry)
    await registry.on(date(2026, 3, 2)).change(uscc, area=AWAY)
    await correct(registry.on(date(2026, 5, 6)), uscc, date(2026, 1, 5), date(2026, 2, 1), area=THIRD)

    january, known_in_april = date(2026, 1, 20), date(2026, 4, 30)
    assert await area(registry, uscc, january) == THIRD
    assert await area(registry, uscc, january, known_at=known_in_april) == HOME
    assert await area(registry, uscc, date(2026, 2, 1)) == HOME
    assert await area(registry, uscc, date(2026, 3, 2)) == AWAY
    assert (await registry.enterprise(uscc))["area"] == AWAY, "what holds now is as it was"
    async with registry.connection() as connection:
        rows = await history.history(connection, uscc, 0, 50)
    assert [(row["because"], row["superseded_at"] is None) for row in rows] == [
        ("registered", False), ("changed", False), ("changed", True), ("corrected", True), ("corrected", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("since", "until", "code"),
    [
        (date(2026, 1, 4), date(2026, 2, 1), "correction_before_registration"),
        (date(2026, 2, 1), date(2026, 2, 1), "correction_period_empty"),
        (date(2026, 2, 1), date(2026, 5, 7), "correction_of_what_is_to_come"),
    ],
)
async def test_only_a_time_that_is_over_is_corrected(registry: Registry, since: date, until: date, code: str) -> None:
    uscc = await registered(registry)
    with pytest.raises(FormReturned, match=code):
        await correct(registry.on(date(2026, 5, 6)), uscc, since, until, area=AWAY)
    with pytest.raises(FormReturned, match="change_empty"):
        await correct(registry.on(date(2026, 5, 6)), uscc, date(2026, 1, 5), date(2026, 2, 1))


async def test_leaving_the_register_is_the_last_of_it(registry: Registry) -> None:
    uscc = await registered(registry)
    await registry.deregister(uscc, "simplified")
    await registry.time_passes(until=date(2026, 1, 26))
    async with registry.connection() as connection:
        last = (await history.history(connection, uscc, 0, 50))[-1]
    assert (last["because"], last["valid_from"]) == ("deregistered", date(2026, 1, 26))
    assert history.read(last["content"])["status"] == "deregistered"


async def test_history_over_http_and_the_replay_of_a_decision_agrees(spine: Spine) -> None:
    spine.up("registration")
    submitted = (await submit(spine)).json()
    uscc, path = submitted["uscc"], f"/v1/enterprises/{submitted['uscc']}"
    await spine.travel(date(2026, 3, 2))
    await change(spine, uscc, {"area": AWAY})
    await spine.travel(date(2026, 5, 6))
    body = {
        "valid_from": "2026-01-05", "valid_to": "2026-02-01", "reason": "录入有误。",
        "corrected": {"area": THIRD, "registered_capital": "6000000.00", "capital_currency": "CNY"},
    }  # fmt: skip
    assert (await post(spine, f"{path}/corrections", body)).status_code == 403
    assert (await post(spine, f"{path}/corrections", body, person="registrar-1")).status_code == 201

    async def held(**query: str) -> Any:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return (await get(spine, f"{path}?{asked}", person=None)).json()

    assert (await held(valid_at="2026-01-20"))["held"]["held"]["area"] == THIRD
    assert (await held(valid_at="2026-01-20"))["held"]["held"]["registered_capital"] == "6000000.00"
    known = (await held(valid_at="2026-01-20", known_at="2026-03-01T00:00:00Z"))["held"]
    assert (known["because"], known["held"]["area"]) == ("registered", HOME)
    assert (await held(valid_at="2025-12-31"))["type"].endswith(":not-held")
    assert (await held(known_at="2026-01-01T00:00:00Z"))["status"] == 404
    assert "held" not in (await get(spine, path, person=None)).json() or (await get(spine, path)).json()["held"] is None

    public = (await get(spine, f"{path}/history?limit=2", person=None)).json()
    assert [one["reason"] for one in public["items"]] == [None, None]
    rest = (await get(spine, f"{path}/history?cursor={public['next']}", person="auditor-1")).json()
    assert [one["because"] for one in rest["items"]] == ["changed", "corrected", "corrected"]
    assert rest["items"][-1]["reason"] == "录入有误。"

    replayed = (await get(spine, f"/v1/applications/{submitted['id']}/replay", person="auditor-1")).json()
    assert replayed["agrees"] is True
