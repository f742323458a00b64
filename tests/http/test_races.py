"""Many at once: changes of one enterprise queue up, identifiers are never given out twice."""

import asyncio
from typing import Any

import pytest

from services.registration.domain import uscc as identifiers
from tests.http.wire import APPLICATIONS, as_json, get, send
from tests.spine import Spine, change, eventually, form, risk_of, submit

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.fixture(scope="module")
def url(spine: Spine) -> str:
    return spine.up("registration", "risk").service("registration").url


async def said(spine: Spine, uscc: str) -> list[tuple[int, str]]:
    """What registration has said about an enterprise, in order: (sequence, type)."""
    async with spine.database("registration") as connection:
        found = await connection.fetch("SELECT sequence, type FROM outbox WHERE subject = $1 ORDER BY id", uscc)
    return [(row["sequence"], row["type"].split(".")[1]) for row in found]


async def test_of_two_changes_from_one_version_at_once_one_takes_effect_and_the_other_is_told(
    spine: Spine, url: str
) -> None:
    uscc = (await submit(spine)).json()["uscc"]
    changes = f"{url}/v1/enterprises/{uscc}/changes"
    bodies = [{"area": "310106013"}, {"registered_capital": "9000000.00", "capital_currency": "CNY"}]
    async with spine.database("registration") as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM enterprise WHERE uscc = $1 FOR UPDATE", uscc)
        both = [asyncio.create_task(send(changes, as_json(body), **{"if-match": '"1"'})) for body in bodies]
        await eventually(lambda: queued(spine, 2))

    answers = await asyncio.gather(*both)
    assert sorted(answer.status_code for answer in answers) == [201, 412]
    [late] = [body for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 412]
    assert (await change(spine, uscc, late)).json()["decision"]["outcome"] == "accepted"
    stands = (await get(f"{url}/v1/enterprises/{uscc}")).json()
    assert (stands["area"], stands["registered_capital"], stands["version"]) == ("310106013", "9000000.00", 3)
    assert await said(spine, uscc) == [
        (1, "enterprise_registered"),
        (2, "enterprise_changed"),
        (3, "enterprise_changed"),
    ]


async def queued(spine: Spine, count: int) -> bool:
    async with spine.database("registration") as connection:
        waiting: int = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    return waiting == count


async def test_eight_changes_at_once_leave_no_gap(spine: Spine, url: str) -> None:
    uscc = (await submit(spine)).json()["uscc"]
    streets = ["310106013", "310106014"] * 4
    answers = await asyncio.gather(*(change(spine, uscc, {"area": street}) for street in streets))
    assert {answer.status_code for answer in answers} == {201}
    assert (await get(f"{url}/v1/enterprises/{uscc}")).json()["version"] == 9
    assert [sequence for sequence, _ in await said(spine, uscc)] == list(range(1, 10))

    await spine.quiet()
    async with spine.database("risk") as connection:
        mark = "SELECT sequence FROM mark WHERE subject = $1 AND source = '/jingan/registration'"
        assert await connection.fetchval(mark, uscc) == 9
        assert not await connection.fetchval("SELECT count(*) FROM parked")


async def test_fifty_registrations_at_once_get_fifty_valid_identifiers(spine: Spine, url: str) -> None:
    answers = await asyncio.gather(*(send(url + APPLICATIONS, as_json(form())) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {201}
    given = [answer.json()["uscc"] for answer in answers]
    assert len(set(given)) == 50
    for uscc in given:
        assert identifiers.check(uscc) == ()
        assert weighed(uscc)

    async def all_scored() -> Any:
        return all([await risk_of(spine, uscc) for uscc in given])

    await eventually(all_scored)
    for uscc in given:
        assert await said(spine, uscc) == [(1, "enterprise_registered")]


def weighed(uscc: str) -> bool:
    """GB 32100-2015 section 5, written down once more: the weighted sum over all 18 characters is a multiple of 31."""
    return (
        sum(ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(uscc[:17])) % 31
        == (31 - ALPHABET.index(uscc[17])) % 31
    )
