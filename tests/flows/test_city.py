"""The exchange with the city over the real Kafka: what comes in, what is answered, and what that does to an enterprise.

The city's side is played by deploy/city.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest_asyncio

from deploy import city
from deploy.city import Outcome, record
from tests.faults.topics import everything_is_taken
from tests.spine import Spine, eventually, get, submit

NOT_OURS = "91310115MA0004CT1T"
"""An identifier that holds, of an enterprise that this district's register does not know."""


async def exchange(spine: Spine, given: Sequence[city.Data]) -> list[Outcome]:
    """Send records, wait until credit is done with them; what was answered since."""
    place = spine.stack.bootstrap_servers, spine.namespace
    before = {one.id for one in await city.outcomes(*place)}
    await city.send(*place, given)
    await eventually(lambda: everything_is_taken(spine, "credit", city.RECORDS))
    await spine.quiet()
    return [one for one in await city.outcomes(*place) if one.id not in before]


def answer(outcomes: Sequence[Outcome], record_id: str) -> dict[str, Any]:
    """The one answer about a record."""
    [found] = [one for one in outcomes if one.record_id == record_id]
    return found.data


async def credit_of(spine: Spine, uscc: str, person: str = "credit-1") -> dict[str, Any]:
    return (
        (await get(spine, f"/v1/enterprises/{uscc}/credit", service="credit", person=person)).raise_for_status().json()
    )


async def counts(spine: Spine) -> Counter[str]:
    seen = await get(spine, "/v1/exchange", service="credit", person="credit-1")
    return Counter(seen.raise_for_status().json()["counts"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def uscc(spine: Spine) -> str:
    """An enterprise that registration and credit know."""
    spine.up("registration", "credit")
    registered = (await submit(spine)).json()["uscc"]

    async def known() -> bool:
        seen = await get(spine, f"/v1/enterprises/{registered}/credit", service="credit")
        return seen.status_code == 200

    await eventually(known)
    return str(registered)


async def test_a_record_in_shape_is_accepted_and_stands_with_its_provenance(spine: Spine, uscc: str) -> None:
    outcomes = await exchange(spine, [record("sh-1", uscc, ground="PP2", name_of_manager="is not kept")])

    [outcome] = outcomes
    assert (outcome.type, outcome.subject, outcome.correlation_id) == ("credit.record_accepted.v1", uscc, "sh-1")
    said = outcome.data
    assert (said["origin"], said["origin_id"], said["origin_version"], said["flagged"]) == ("city", "sh-1", 1, False)
    [stands] = (await credit_of(spine, uscc, "applicant-1"))["records"]
    assert (stands["id"], stands["kind"], stands["ground"]) == (said["record_id"], "penalty", "PP2")
    assert (stands["effective_on"], stands["public_until"]) == ("2025-12-15", "2028-12-15")
    async with spine.database("credit") as connection:
        assert "name_of_manager" not in await connection.fetchval("SELECT content::text FROM record_version")


async def test_bad_records_are_rejected_with_reason_and_field_and_keep_nobody_waiting(spine: Spine, uscc: str) -> None:
    good = record("sh-after-the-bad", uscc)
    bad: list[city.Data] = [
        {**good, "record_id": "sh-kind", "kind": "gossip"},
        {**good, "record_id": "sh-ground", "ground": "ZZ9"},
        {**good, "record_id": "sh-other-ground", "ground": "CB1"},
        {**good, "record_id": "sh-date", "effective_on": "2025-02-30"},
        {**good, "record_id": "sh-uscc", "uscc": uscc[:17]},
        {name: value for name, value in {**good, "record_id": "sh-lacking"}.items() if name != "effective_on"},
        b'{"record_id": "sh-cut',
    ]
    outcomes = await exchange(spine, [*bad, good])

    reasons = {one.record_id: (one.data["reason"], one.data["field"]) for one in outcomes if "reason" in one.data}
    [place] = [name for name in reasons if name.startswith("city.credit.records:")]
    assert reasons == {
        "sh-kind": ("unknown_kind", "kind"),
        "sh-ground": ("unknown_ground", "ground"),
        "sh-other-ground": ("ground_not_of_kind", "ground"),
        "sh-date": ("impossible_date", "effective_on"),
        "sh-uscc": ("uscc_malformed", "uscc"),
        "sh-lacking": ("missing", "effective_on"),
        place: ("bad_json", None),
    }
    assert answer(outcomes, "sh-after-the-bad")["flagged"] is False


async def test_an_identifier_that_fails_its_check_or_is_unknown_is_taken_and_flagged(spine: Spine, uscc: str) -> None:
    odd = uscc[:17] + ("1" if uscc[17] != "1" else "2")
    outcomes = await exchange(spine, [record("sh-odd", odd), record("sh-elsewhere", NOT_OURS)])

    assert answer(outcomes, "sh-odd")["flagged"] is True
    assert answer(outcomes, "sh-elsewhere")["flagged"] is True
    [stands] = (await credit_of(spine, odd))["records"]
    assert stands["flags"] == ["uscc_check", "uscc_unknown"]
    elsewhere = await credit_of(spine, NOT_OURS)
    assert (elsewhere["registered_on"], elsewhere["records"][0]["flags"]) == (None, ["uscc_unknown"])


async def test_what_comes_again_has_no_effect_and_is_not_answered_again(spine: Spine, uscc: str) -> None:
    one, bad = record("sh-again", uscc), record("sh-bad-again", uscc, kind="gossip")
    before = await counts(spine)
    outcomes = await exchange(spine, [one, bad, one, bad, b"}", b"}"])
    later = await exchange(spine, [one, bad, {**one, "kind": "other"}])

    assert sorted(one.record_id for one in outcomes if not one.record_id.startswith("city.")) == [
        "sh-again",
        "sh-bad-again",
    ]
    assert (len(outcomes), later) == (3, [])
    assert await counts(spine) - before == {"accepted": 1, "rejected": 2, "duplicate": 5, "conflicting": 1}


async def test_an_older_version_that_comes_late_has_no_effect_and_is_told_so(spine: Spine, uscc: str) -> None:
    first = record("sh-versions", uscc, effective_on="2025-11-01")
    outcomes = await exchange(
        spine, [{**first, "version": 3, "effective_on": "2025-11-03"}, {**first, "version": 2}, first]
    )
    outcomes += await exchange(spine, [{**first, "version": 4, "effective_on": "2025-11-04"}])

    told = [(one.data["origin_version"], one.data.get("reason")) for one in outcomes]
    assert sorted(told) == [(1, "superseded"), (2, "superseded"), (3, None), (4, None)]
    [stands] = [one for one in (await credit_of(spine, uscc))["records"] if one["origin_id"] == "sh-versions"]
    assert (stands["version"], stands["effective_on"]) == (4, "2025-11-04")
    async with spine.database("credit") as connection:
        kept = "SELECT version FROM record_version WHERE record_id = $1::text::uuid ORDER BY version"
        assert [row[0] for row in await connection.fetch(kept, stands["id"])] == [3, 4]


async def test_of_a_seeded_crowd_with_everything_in_it_each_record_is_answered_once(spine: Spine, uscc: str) -> None:
    given = city.records(7, [uscc, NOT_OURS], 40)
    before = await counts(spine)
    outcomes = await exchange(spine, given)

    told = Counter((one.record_id, one.data.get("origin_version")) for one in outcomes)
    assert set(told.values()) == {1}
    named = {(one["record_id"], one["version"]) for one in given if isinstance(one, dict)}
    assert {name for name in told if not name[0].startswith("city.")} == named
    assert (await counts(spine) - before).total() == len(given), "every one is accounted for"
    async with spine.database("credit") as connection:
        newest = "SELECT origin_id, version FROM record WHERE origin_id LIKE 'sh-7-0%'"
        stands = dict(map(tuple, await connection.fetch(newest)))
    assert stands == {name: max(v for n, v in named if n == name) for name, _ in named if name.startswith("sh-7-0")}


async def test_a_stranger_is_shown_nothing(spine: Spine, uscc: str) -> None:
    for person, status in (("applicant-2", 404), ("inspector-1", 403), (None, 401), ("regulator-1", 200)):
        seen = await get(spine, f"/v1/enterprises/{uscc}/credit", service="credit", person=person)
        assert seen.status_code == status
    assert (await get(spine, "/v1/exchange", service="credit", person="applicant-1")).status_code == 403
