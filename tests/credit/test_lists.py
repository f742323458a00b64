"""The two lists: proposed by what happened, decided by an officer on a ground of the list, ended by cure or by time."""

from datetime import date
from uuid import uuid4

import pytest

from libs.common.policy import PolicyError
from services.credit import policy
from tests.credit.office import Office, refusal

SERIOUS, ABNORMAL = "serious_illegal_dishonest", "abnormal_operation"


async def test_an_officer_lists_on_a_ground_and_a_record_and_the_decision_is_kept(office: Office) -> None:
    uscc = await office.registered()
    record = await office.commitment_unkept(uscc)
    listing = await office.list_serious(uscc, record)

    [shown] = (await office.credit(uscc, "applicant-1"))["listings"]
    assert (shown["id"], shown["ground"], shown["basis"], shown["state"]) == (listing, "SE-GEN", record, "standing")
    assert (shown["listed_on"], shown["ends_on"]) == ("2026-01-05", "2029-01-05")
    [said] = await office.said(uscc, "subject_listed")
    assert (said["listing_id"], said["list"], said["ground"]) == (listing, SERIOUS, "SE-GEN")
    kept = await office.row("SELECT decision ->> 'policy_digest', decision ->> 'by' FROM listing WHERE uscc = $1", uscc)
    assert tuple(kept) == (policy.current().digest, "credit-1")


@pytest.mark.parametrize(
    ("on_list", "ground", "code"),
    [
        (SERIOUS, "AB1", "ground_not_of_list"),
        (SERIOUS, "CB1", "ground_not_of_list"),
        (SERIOUS, "ZZ9", "ground_not_of_list"),
        (SERIOUS, "SE-2014", "ground_not_in_force"),
    ],
)
async def test_a_ground_of_another_list_or_of_another_time_is_refused(
    office: Office, on_list: str, ground: str, code: str
) -> None:
    uscc = await office.registered()
    basis = await office.commitment_unkept(uscc)
    answer = await office.post(f"/v1/enterprises/{uscc}/listings", list=on_list, ground=ground, basis=basis)
    assert answer.status_code == 422
    assert [(fault["field"], fault["code"]) for fault in answer.json()["errors"]] == [("ground", code)]
    assert await office.said(uscc, "subject_listed") == []


async def test_a_listing_needs_an_enterprise_of_the_register_a_basis_of_its_own_and_an_officer(office: Office) -> None:
    uscc, other = await office.registered(), await office.registered()
    basis, foreign = await office.commitment_unkept(uscc), await office.commitment_unkept(other)
    body = {"list": SERIOUS, "ground": "SE-GEN", "basis": foreign}
    path = f"/v1/enterprises/{uscc}/listings"
    assert [fault["code"] for fault in (await office.post(path, **body)).json()["errors"]] == ["basis_unknown"]
    assert (await office.post(path, "registrar-1", **{**body, "basis": basis})).status_code == 403
    assert (await office.post("/v1/enterprises/91310106MA1FY0016K/listings", **body)).status_code == 404

    await office.list_serious(uscc, basis)
    assert refusal(await office.post(path, **{**body, "basis": basis})) == "already-listed"


async def test_a_revoked_permit_is_put_before_an_officer_who_lists(office: Office) -> None:
    uscc, permit = await office.registered(), uuid4()
    record = await office.commitment_unkept(uscc, permit_id=permit)
    await office.hear(
        "licensing.permit_revoked", uscc, permit_id=str(permit), item_id="food-licence", department="market_regulation",
        activities=["6210"], reason="commitment_unkept", revoked_on="2026-01-05",
    )  # fmt: skip
    proposal = await office.row("SELECT id, basis FROM proposal WHERE uscc = $1", uscc)
    shown = (await office.get(f"/v1/listing-proposals/{proposal['id']}")).json()
    assert (shown["list"], shown["ground"], shown["basis"], shown["because"]) == (
        SERIOUS,
        "SE-GEN",
        record,
        str(permit),
    )
    assert (await office.item("credit.listing", shown["id"]))["due_on"] == shown["decide_by"]

    await office.list_serious(uscc, record)
    assert (await office.get(f"/v1/listing-proposals/{proposal['id']}")).json()["state"] == "listed"
    closed = await office.row("SELECT outcome FROM work_item WHERE subject = $1", str(proposal["id"]))
    assert closed["outcome"] == "listed"


async def test_who_cannot_be_reached_is_proposed_within_ten_working_days_and_may_be_declined(office: Office) -> None:
    uscc, inspection = await office.registered(), uuid4()
    for id in (inspection, uuid4()):
        await office.hear(
            "supervision.inspection_completed", uscc, inspection_id=str(id), unreachable=True, completed_on="2026-01-05"
        )
    rows = await office.row("SELECT count(*), min(id::text), min(decide_by) FROM proposal WHERE uscc = $1", uscc)
    assert (rows[0], rows[2]) == (1, date(2026, 1, 19)), "ten working days; a second visit proposes nothing anew"
    path = f"/v1/listing-proposals/{rows[1]}/refusal"
    assert refusal(await office.post(path, if_match=1, reason="reached by telephone")) == "work-not-yours"
    await office.claim("credit.listing", rows[1])
    assert refusal(await office.post(path, if_match=7, reason="reached by telephone")) == "stale"
    assert (await office.post(path, if_match=1, reason="reached by telephone")).json()["state"] == "declined"
    assert refusal(await office.post(path, if_match=2, reason="again")) == "already-ended"


async def test_an_abnormal_listing_ends_when_its_ground_is_cured_and_stays_in_the_history(office: Office) -> None:
    uscc, inspection = await office.registered(), uuid4()
    await office.hear(
        "supervision.inspection_completed", uscc, inspection_id=str(inspection), unreachable=True,
        completed_on="2026-01-05",
    )  # fmt: skip
    listed = await office.post(f"/v1/enterprises/{uscc}/listings", list=ABNORMAL, ground="AB4", basis=str(inspection))
    assert (listed.status_code, listed.json()["ends_on"]) == (201, None)
    path = f"/v1/listings/{listed.json()['id']}/removal"
    assert (await office.post(path, reason="ground_cured")).json()["ended_because"] == "ground_cured"
    assert refusal(await office.post(path, reason="ground_cured")) == "already-ended"

    [shown] = (await office.credit(uscc))["listings"]
    assert (shown["state"], shown["ended_on"], shown["ended_because"]) == ("ended", "2026-01-05", "ground_cured")
    assert [one["reason"] for one in await office.said(uscc, "subject_delisted")] == ["ground_cured"]
    again = await office.post(f"/v1/enterprises/{uscc}/listings", list=ABNORMAL, ground="AB4", basis=str(inspection))
    assert again.status_code == 201, "a new decision is a new listing"


async def test_a_serious_listing_is_not_cured_but_ends_by_its_term(office: Office) -> None:
    """Last in the module: time moves on by three years."""
    uscc = await office.registered()
    record = await office.commitment_unkept(uscc)
    listing = await office.list_serious(uscc, record)
    assert refusal(await office.post(f"/v1/listings/{listing}/removal", reason="ground_cured")) == "no-way-of-removal"

    await office.spine.travel(date(2029, 1, 5))
    [shown] = (await office.credit(uscc))["listings"]
    assert (shown["state"], shown["ended_on"], shown["ended_because"]) == ("ended", "2029-01-05", "term_ended")
    [said] = await office.said(uscc, "subject_delisted")
    assert (said["reason"], said["delisted_on"]) == ("term_ended", "2029-01-05")
    assert (await office.credit(uscc))["restriction_grounds"] == ["CB1"], (
        "the broken commitment is not repaired by time"
    )


def test_law_that_contradicts_itself_is_refused_with_file_and_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    for file, before, after, reason in (
        ("terms.csv", "PP1,ends_after", "PP9,ends_after", "no ground, list or kind"),
        ("terms.csv", "other,repair_after", "other,ends_after", "no term of repair for other"),
        ("deadlines.csv", "repair,7,2025-12-25", "repair,7,2025-12-24", "in force on 2025-12-24"),
        ("restrictions.csv", "commitment_breach,", "gossip,", "no list gossip"),
        ("grounds_in_force.csv", "SE1,", "SE99,", "no ground SE99"),
    ):
        folder = tmp_path_factory.mktemp("law")
        for path in policy.FOLDER.glob("*.csv"):
            text = path.read_text(encoding="utf-8")
            changed = text.replace(before, after, 1) if path.name == file else text
            assert path.name != file or changed != text
            (folder / path.name).write_text(changed, encoding="utf-8")
        with pytest.raises(PolicyError, match=reason) as refused:
            policy.load(folder)
        assert refused.value.path.name == file
