"""Business time: dates that fire once each, in order, on their own day, whatever fails, waits or comes back."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import httpx
import pytest
import pytest_asyncio
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import due, time_travel
from libs.common.clock import BusinessClock
from libs.common.database import raw
from tests.faults.ledger import NAME, Ledger, Trouble, open_ledger
from tests.faults.topics import Record, partition_of, put
from tests.spine import Spine, eventually

START = date(2026, 1, 5)
DAY = timedelta(days=1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(spine: Spine) -> Ledger:
    return await open_ledger(spine)


@pytest.fixture
def ledger(opened: Ledger) -> Ledger:
    """The ledger without the troubles of earlier stories."""
    opened.trouble.clear()
    return opened


async def set_dates(ledger: Ledger, dates: dict[str, date]) -> None:
    async with ledger.spine.database(NAME) as connection:
        await connection.executemany("INSERT INTO due VALUES ('reminder', $1, $2)", list(dates.items()))


async def entered(ledger: Ledger, prefix: str) -> list[tuple[str, date]]:
    """(subject, the day it was judged on) of what has fired, in that order."""
    rows = await ledger.read(
        "SELECT subject, on_date FROM entry WHERE starts_with(subject, $1) ORDER BY number", prefix
    )
    return [(row["subject"], row["on_date"]) for row in rows]


async def test_two_tickers_fire_each_date_once(ledger: Ledger) -> None:
    dates = {f"crowd-{number:03d}": START - number % 5 * DAY for number in range(300)}
    await set_dates(ledger, dates)

    async with ledger.ticking(), ledger.ticking():

        async def all_have_fired() -> bool:
            return len(await entered(ledger, "crowd")) >= len(dates)

        await eventually(all_have_fired)

    assert sorted(await entered(ledger, "crowd")) == sorted(dates.items())
    assert await ledger.read("SELECT 1 FROM due") == []


async def test_a_date_on_which_one_ticker_works_does_not_hold_up_the_other(ledger: Ledger) -> None:
    at_work, go_on = asyncio.Event(), asyncio.Event()

    async def takes_its_time(session: AsyncSession) -> None:
        await raw(session)
        at_work.set()
        await go_on.wait()

    ledger.trouble["shared-first"] = takes_its_time
    await set_dates(ledger, {"shared-first": START - DAY, "shared-second": START, "shared-third": START})

    async with ledger.ticking(), ledger.ticking():
        await at_work.wait()

        async def the_others_have_fired() -> bool:
            return len(await entered(ledger, "shared")) == 2

        await eventually(the_others_have_fired)
        go_on.set()

        async def all_have_fired() -> bool:
            return len(await entered(ledger, "shared")) == 3

        await eventually(all_have_fired)

    assert [subject for subject, _ in await entered(ledger, "shared")] == [
        "shared-second", "shared-third", "shared-first",
    ]  # fmt: skip


async def a_bug(session: AsyncSession) -> None:
    raise ValueError("the act has a bug")


async def a_statement_without_end(session: AsyncSession) -> None:
    connection = await raw(session)
    await connection.execute("SET LOCAL statement_timeout = '50ms'")
    await connection.execute("SELECT pg_sleep(60)")


@pytest.mark.parametrize("trouble", [a_bug, a_statement_without_end])
async def test_a_date_whose_act_fails_backs_off_and_the_others_fire(ledger: Ledger, trouble: Trouble) -> None:
    name = trouble.__name__
    failing = f"{name}-0"
    dates = {f"{name}-{number}": START - (5 - number) * DAY for number in range(5)}
    ledger.trouble[failing] = trouble
    await set_dates(ledger, dates)

    async with ledger.ticking():

        async def the_others_have_fired() -> bool:
            return len(await entered(ledger, name)) == 4

        await eventually(the_others_have_fired)

        async def has_been_tried_again() -> bool:
            [row] = await ledger.read("SELECT attempts, error FROM due WHERE subject = $1", failing)
            return row["attempts"] >= 2 and row["error"]

        await eventually(has_been_tried_again)
        ledger.trouble.clear()

        async def has_fired() -> bool:
            return (failing, dates[failing]) in await entered(ledger, name)

        await eventually(has_fired)

    others = [(subject, on) for subject, on in dates.items() if subject != failing]
    assert await entered(ledger, name) == [*others, (failing, dates[failing])]


async def test_a_ticker_whose_sessions_were_cut_goes_on(ledger: Ledger) -> None:
    async def have_fired(count: int) -> bool:
        return len(await entered(ledger, "cut")) == count

    async with ledger.ticking(), ledger.spine.database(NAME) as connection:
        await set_dates(ledger, {"cut-before": START})
        await eventually(lambda: have_fired(1))
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await set_dates(ledger, {"cut-after": START})
        await eventually(lambda: have_fired(2))


async def test_time_travels_step_by_step_through_every_date_in_order_each_judged_on_its_own_day(
    ledger: Ledger,
) -> None:
    """An order on day 20 leads to a fine on day 40: one long jump would make one order on day 60 of it."""

    def leads_to(subject: str, on: date) -> Trouble:
        async def set_it(session: AsyncSession) -> None:
            await due.add(session, "reminder", subject, on)

        return set_it

    first, order, fine, notice, end = (START + days * DAY for days in (5, 20, 40, 41, 60))
    ledger.trouble["case-first"] = leads_to("case-order", order)
    ledger.trouble["case-order"] = leads_to("case-fine", fine)
    await set_dates(ledger, {"case-notice": notice, "case-first": first, "case-also-first": first})
    steps: list[date] = []

    async with ledger.serving() as url:
        await time_travel.travel(lambda to: advance(ledger, to), [url], end, on_step=steps.append)

        assert steps == [first, order, fine, notice, end]
        assert await entered(ledger, "case") == [
            ("case-also-first", first), ("case-first", first), ("case-order", order), ("case-fine", fine),
            ("case-notice", notice),
        ]  # fmt: skip
        assert await business_date(url) == end


async def advance(ledger: Ledger, to: date) -> None:
    await time_travel.advance(ledger.spine.stack.bootstrap_servers, ledger.spine.namespace, to)


async def business_date(url: str) -> date:
    """The date in the first answer; until it is connected to Kafka, a service says that it cannot tell."""
    async with httpx.AsyncClient(timeout=10) as client:

        async def answer() -> httpx.Response | None:
            answer = await client.get(f"{url}/health/progress")
            return answer if answer.status_code == 200 else None

        return date.fromisoformat((await eventually(answer)).json()["business_date"])


async def test_a_service_reads_the_clock_to_its_end_before_it_serves(ledger: Ledger) -> None:
    for days in (61, 75, 90):
        await advance(ledger, START + days * DAY)
    await set_dates(ledger, {"late-second": START + 80 * DAY, "late-first": START + 70 * DAY})

    async with ledger.serving() as url:
        assert await business_date(url) == START + 90 * DAY, "its first answer is given on the date that holds"

        async def all_have_fired() -> bool:
            return len(await entered(ledger, "late")) == 2

        await eventually(all_have_fired)

    assert await entered(ledger, "late") == [("late-first", START + 70 * DAY), ("late-second", START + 80 * DAY)]


async def test_business_time_never_goes_back(ledger: Ledger) -> None:
    await advance(ledger, START + 100 * DAY)
    await advance(ledger, START + 10 * DAY)
    for _ in range(2):  # nor for one that starts later
        async with ledger.serving() as url:
            assert await business_date(url) == START + 100 * DAY


@pytest.mark.parametrize("value", [b"{", b"[]", b'{"business_date": "tomorrow"}', b'{"business_date": 7}', None])
async def test_a_record_that_moves_no_clock_is_passed_over(ledger: Ledger, value: bytes | None) -> None:
    await put(ledger.spine, Record(partition_of("business-date"), b"business-date", value), topic="clock.events")
    await advance(ledger, START + 101 * DAY)

    async with ledger.serving() as url:
        assert await business_date(url) == START + 101 * DAY
        async with httpx.AsyncClient(timeout=10) as client:
            ignored = [
                float(line.rpartition(" ")[2])
                for line in (await client.get(f"{url}/metrics")).text.splitlines()
                if line.startswith('clock_records_ignored_total{service="ledger"}')
            ]
    assert ignored
    assert ignored[0] >= 1


async def test_a_service_told_to_stop_before_the_clock_is_read_waits_for_it_no_longer(ledger: Ledger) -> None:
    ready, stop = asyncio.Event(), asyncio.Event()
    stop.set()

    await time_travel.follow(ledger.settings, BusinessClock(START), ready, stop)

    assert ready.is_set()
