"""Records: what the city's must look like, what the district's own events become, how long a penalty is shown."""

import json
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.city import record
from libs.common.clock import SHANGHAI
from services.credit import policy
from services.credit.domain import intake
from services.credit.domain.intake import CityRecord, Known, Rejection, Seen
from services.credit.domain.uscc import check_holds
from services.registration.domain.uscc import uscc_for
from tests.credit.office import Office, refusal

LAW = policy.current()
USCC = "91310106MA1FY0016K"
HEADERS = {"ce_source": b"/shanghai/credit", "ce_id": b"1"}
GOOD = record("sh-1", USCC, ground="PP2")
STANDS = Known(1, USCC, "penalty", "standing")


def read(data: Any, headers: dict[str, bytes] = HEADERS) -> Seen:
    return intake.read(data if isinstance(data, bytes) else json.dumps(data).encode(), headers, LAW)


class TestARecordOfTheCity:
    def test_in_shape_is_read_and_only_what_is_named_is_kept(self) -> None:
        seen = read({**GOOD, "manager": "somebody"})
        assert seen == Seen("sh-1", 1, CityRecord("sh-1", 1, USCC, "penalty", "PP2", date(2025, 12, 15)))

    @pytest.mark.parametrize(
        ("changes", "reason", "field"),
        [
            ({"record_id": None}, "missing", "record_id"),
            ({"record_id": "with space"}, "malformed", "record_id"),
            ({"version": 0}, "malformed", "version"),
            ({"version": True}, "malformed", "version"),
            ({"version": 2**31}, "malformed", "version"),
            ({"version": "1"}, "malformed", "version"),
            ({"uscc": None}, "missing", "uscc"),
            ({"uscc": USCC.lower()}, "uscc_malformed", "uscc"),
            ({"uscc": USCC[:-1] + "I"}, "uscc_malformed", "uscc"),
            ({"uscc": 17}, "uscc_malformed", "uscc"),
            ({"kind": "gossip"}, "unknown_kind", "kind"),
            ({"kind": ["penalty"]}, "unknown_kind", "kind"),
            ({"ground": "ZZ9"}, "unknown_ground", "ground"),
            ({"ground": "RP-MINOR"}, "unknown_ground", "ground"),
            ({"ground": "CB1"}, "ground_not_of_kind", "ground"),
            ({"kind": "other", "ground": "PP1"}, "ground_not_of_kind", "ground"),
            ({"kind": "commitment_breach", "ground": None}, "missing", "ground"),
            ({"kind": "commitment_breach", "ground": "SH1"}, "ground_not_of_kind", "ground"),
            ({"effective_on": "2025-02-30"}, "impossible_date", "effective_on"),
            ({"effective_on": "20251215"}, "impossible_date", "effective_on"),
            ({"effective_on": "0001-01-01"}, "impossible_date", "effective_on"),
        ],
    )
    def test_that_is_not_is_rejected_with_what_to_mend(self, changes: dict[str, Any], reason: Any, field: str) -> None:
        assert read({**GOOD, **changes}).outcome == Rejection(reason, field)

    @pytest.mark.parametrize("value", [b"", b"\xff", b"[]", b"17", b"{", b"[" * 100_000, b'{"version": NaN}'])
    def test_that_is_no_json_object_has_no_name(self, value: bytes) -> None:
        assert read(value) == Seen(None, None, Rejection("bad_json"))

    def test_of_another_source_or_without_an_id_is_rejected(self) -> None:
        assert read(GOOD, {**HEADERS, "ce_source": b"/elsewhere"}).outcome == Rejection("unknown_source", "ce_source")
        assert read(GOOD, {"ce_source": b"/shanghai/credit"}).outcome == Rejection("missing", "ce_id")

    @given(st.binary() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(
        lambda value: json.dumps({**GOOD, "kind": value, "version": value}).encode()))  # fmt: skip
    def test_of_any_content_is_read_or_rejected_and_nothing_else(self, value: bytes) -> None:
        assert isinstance(read(value).outcome, CityRecord | Rejection)

    @pytest.mark.parametrize(
        ("known", "reason"),
        [
            (None, None),
            (STANDS, None),
            (STANDS._replace(version=2), "superseded"),
            (STANDS._replace(version=3), "superseded"),
            (STANDS._replace(uscc="91310115MA0004CT1T"), "uscc_changed"),
            (STANDS._replace(kind="other"), "kind_changed"),
            (STANDS._replace(state="erased"), "erased"),
            (STANDS._replace(state="repaired"), "repaired"),
        ],
    )
    def test_is_weighed_against_what_stands(self, known: Known | None, reason: str | None) -> None:
        newer = CityRecord("sh-1", 2, USCC, "penalty", "PP2", date(2025, 12, 16))
        rejection = intake.against(newer, known)
        assert (rejection and rejection.reason) == reason

    def test_is_flagged_for_each_doubt(self) -> None:
        one = CityRecord("sh-1", 1, USCC, "penalty", None, date(2026, 1, 5))
        assert intake.flags(one, registered=True, today=date(2026, 1, 5)) == ()
        assert intake.flags(one, registered=False, today=date(2026, 1, 4)) == ("effective_later", "uscc_unknown")

    @pytest.mark.parametrize(
        ("uscc", "holds"),
        [("91110000600037341L", True), ("121200004013590816", True), ("91110000600037341N", False),
         ("91350211M0000XUF46", False)],
    )  # fmt: skip
    def test_is_checked_by_the_last_character(self, uscc: str, holds: bool) -> None:
        assert check_holds(uscc) == holds


async def test_an_enterprise_of_an_older_register_is_known(office: Office) -> None:
    over = uscc_for(8_800_001)
    await office.hear("registration.enterprise_taken_over", over, registered_on="2015-06-30")
    async with office.spine.database("credit") as connection:
        row = await connection.fetchrow("SELECT registered_on, filed_by FROM enterprise WHERE uscc = $1", over)
    assert (row["registered_on"].isoformat(), row["filed_by"]) == ("2015-06-30", None)


async def test_a_commitment_unkept_becomes_a_record_with_its_provenance_once(office: Office) -> None:
    uscc = await office.registered()
    id = await office.commitment_unkept(uscc, found_on="2026-01-05")

    [shown] = (await office.credit(uscc, "applicant-1"))["records"]
    assert (shown["kind"], shown["ground"], shown["origin"], shown["state"]) == (
        "commitment_breach", "CB1", "licensing", "standing",
    )  # fmt: skip
    received_on = datetime.fromisoformat(shown["received_at"]).astimezone(SHANGHAI).date()
    assert (shown["effective_on"], received_on.isoformat()) == ("2026-01-05", "2026-01-05")
    [said] = await office.said(uscc, "record_accepted")
    assert (said["record_id"], said["origin_id"], "origin_version" in said) == (id, shown["origin_id"], False)


async def test_only_a_published_result_with_a_problem_becomes_a_record(office: Office) -> None:
    uscc = await office.registered()
    for at, codes in enumerate((["01"], ["03", "09"], ["05"])):
        await office.hear(
            "supervision.result_published", uscc, inspection_id=f"6b8068a8-eda0-4fb0-ab52-{at:012d}",
            codes=[{"code_set": "joint_inspection", "code": code} for code in codes], published_on="2026-01-05",
        )  # fmt: skip
    [shown] = (await office.credit(uscc))["records"]
    assert (shown["kind"], shown["origin"], shown["origin_id"][-1]) == ("spot_check_result", "supervision", "1")


async def test_an_enterprise_that_is_registered_later_fills_its_stub(office: Office) -> None:
    uscc = uscc_for(6_999)
    await office.from_city(record("sh-early", uscc))
    [before] = (await office.credit(uscc))["records"]
    assert "uscc_unknown" in before["flags"]
    assert (await office.get(f"/v1/enterprises/{uscc}/credit", "applicant-1")).status_code == 404

    await office.hear("registration.enterprise_registered", uscc, registered_on="2026-01-05", filed_by="applicant-1")
    [after] = (await office.credit(uscc, "applicant-1"))["records"]
    assert "uscc_unknown" not in after["flags"]


async def test_an_erased_record_is_gone_from_sight_and_comes_back_by_no_newer_version(office: Office) -> None:
    uscc = await office.registered()
    await office.from_city(record("sh-annulled", uscc, ground="PP2"))
    [shown] = (await office.credit(uscc))["records"]
    path = f"/v1/records/{shown['id']}/erasure"
    assert (await office.post(path, "applicant-1", reason="annulled")).status_code == 403
    assert (await office.post(path, reason="annulled")).json() == {"id": shown["id"], "erased_on": "2026-01-05"}
    assert refusal(await office.post(path, reason="annulled")) == "already-erased"

    await office.from_city(record("sh-annulled", uscc, version=2, ground="PP2"))
    assert (await office.credit(uscc))["records"] == []
    assert [one["type"] for one in await office.said(uscc)] == ["credit.record_accepted.v1", "credit.record_erased.v1"]
    [rejected] = await office.said("sh-annulled")
    assert rejected["reason"] == "erased"
    kept = await office.row("SELECT content FROM record_version WHERE record_id = $1::text::uuid", shown["id"])
    assert json.loads(kept["content"]) == {}


async def test_records_are_listed_page_by_page(office: Office) -> None:
    uscc = await office.registered()
    await office.from_city(*(record(f"sh-page-{number}", uscc) for number in range(5)))
    path, seen, cursor = f"/v1/enterprises/{uscc}/records?limit=2", [], ""
    while cursor is not None:
        page = (await office.get(path + (cursor and f"&cursor={cursor}"))).raise_for_status().json()
        seen += [one["origin_id"] for one in page["items"]]
        cursor = page["next"]
    assert sorted(seen) == [f"sh-page-{number}" for number in range(5)]


async def test_a_penalty_is_shown_for_its_term_and_no_longer(office: Office) -> None:
    """Last in the module: time moves on."""
    uscc = await office.registered()
    await office.from_city(
        record("sh-low", uscc, ground="PP1", effective_on="2026-01-05"),
        record("sh-high", uscc, ground="PP2", effective_on="2026-01-05"),
    )
    shown = {one["origin_id"]: one["public_until"] for one in (await office.credit(uscc))["records"]}
    assert shown == {"sh-low": "2026-04-05", "sh-high": "2029-01-05"}

    await office.spine.travel(date(2026, 4, 5))
    ended = {one["origin_id"]: one["public_ended_on"] for one in (await office.credit(uscc))["records"]}
    assert ended == {"sh-low": "2026-04-05", "sh-high": None}
