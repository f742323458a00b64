"""A listing in credit reaches the relatives' scores, whichever member has them, and its end takes it back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest_asyncio

from deploy import city
from tests.checker import Target, check
from tests.flows.copies import copied
from tests.spine import Spine, eventually, form, get, owned_by, post, risk_of, submit

SERVICES = ("registration", "credit", "risk")
BY_TERM = date(2029, 1, 6)
"""A day after the three years of the serious list."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def enterprises(spine: Spine) -> AsyncIterator[list[str]]:
    """Eight with the same owners, so that several partitions have some, and one with owners of its own."""
    spine.up(*SERVICES)
    spine.service("risk", "b").start()
    spine.service("risk", "b").wait_ready()
    owners = ["one"] * 8 + ["other"]
    yield [(await submit(spine, form(**owned_by(name)))).json()["uscc"] for name in owners]


async def told(spine: Spine, uscc: str, member: str = "") -> dict[str, int]:
    shown = await risk_of(spine, uscc, member=member)
    assert shown is not None
    return {part["rule"]: part["points"] for part in shown["contributions"] if part["rule"] == "related_serious_list"}


async def put_on_the_serious_list(spine: Spine, uscc: str) -> None:
    await city.send(spine.stack.bootstrap_servers, spine.namespace, [city.record(f"sh-{uscc}", uscc)])

    async def a_record() -> Any:
        seen = await get(spine, f"/v1/enterprises/{uscc}/credit", service="credit")
        return seen.json()["records"] if seen.status_code == 200 else None

    basis = (await eventually(a_record))[0]["id"]
    listing = {"list": "serious_illegal_dishonest", "ground": "SE-GEN", "basis": basis}
    answer = await post(spine, f"/v1/enterprises/{uscc}/listings", listing, service="credit", person="credit-1")
    assert answer.status_code == 201, answer.text


def target_of(spine: Spine) -> Target:
    stack = spine.stack
    return Target(stack.bootstrap_servers, stack.database_url, spine.namespace, SERVICES, patience=10)


async def test_a_listing_reaches_every_relative_once_though_a_member_is_killed(
    spine: Spine, enterprises: list[str]
) -> None:
    await put_on_the_serious_list(spine, enterprises[0])
    spine.service("risk", "b").kill()
    await put_on_the_serious_list(spine, enterprises[1])
    spine.service("risk", "b").start()
    spine.service("risk", "b").wait_ready()
    await spine.quiet()
    assert [await told(spine, uscc) for uscc in enterprises[:2]] == [{"related_serious_list": 20}] * 2
    assert [await told(spine, uscc, "b") for uscc in enterprises[2:8]] == [{"related_serious_list": 40}] * 6
    assert await told(spine, enterprises[8]) == {}
    assert (await check(target_of(spine))).violations == ()


async def test_what_is_kept_otherwise_than_it_was_said_is_found(spine: Spine) -> None:
    for process in spine.processes.values():
        process.stop()
    forgotten = "DELETE FROM related_signal WHERE uscc = (SELECT min(uscc) FROM related_signal)"
    async with copied(target_of(spine), "risk", forgotten) as target:
        report = await check(target)
    assert report.broken == {"I5"}
    assert all("is kept as None" in violation for violation in report.violations)
    for process in spine.processes.values():
        process.start()
    for process in spine.processes.values():
        process.wait_ready()


async def test_the_end_of_a_listing_lowers_the_relatives_again(spine: Spine, enterprises: list[str]) -> None:
    await spine.travel(BY_TERM)
    await spine.quiet()
    assert [await told(spine, uscc) for uscc in enterprises] == [{}] * len(enterprises)
    assert (await check(target_of(spine))).violations == ()
