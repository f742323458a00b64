"""From the form to the score, over the real Kafka and PostgreSQL."""

from datetime import date

from tests.spine import Spine, change, eventually, form, risk_of, submit


async def test_an_accepted_form_is_registered_and_scored(spine: Spine) -> None:
    spine.up("registration", "risk")

    answer = await submit(spine)

    assert answer.status_code == 201
    assert answer.json()["status"] == "registered"
    scored = await eventually(lambda: risk_of(spine, answer.json()["uscc"]))
    assert scored["score"] == sum(part["points"] for part in scored["contributions"])
    assert scored["assessed_on"] == "2026-01-05"


async def test_a_form_in_a_prohibited_field_is_refused_with_item_and_source(spine: Spine) -> None:
    answer = await submit(spine, form(activities=["0422"]))

    assert answer.json()["status"] == "refused"
    [finding] = answer.json()["decision"]["findings"]
    assert finding["item_key"] == "fishing"
    assert finding["source"]


async def test_a_row_that_was_not_checked_against_the_text_sends_the_form_to_review(spine: Spine) -> None:
    answer = await submit(spine, form(activities=["6311"]))

    assert answer.json()["status"] == "in_review"
    assert answer.json()["uscc"] is None


async def test_changes_raise_the_score_and_time_lets_it_fall(spine: Spine) -> None:
    uscc = (await submit(spine)).json()["uscc"]
    before = await eventually(lambda: risk_of(spine, uscc))
    for area in ("310106013", "310106014"):
        assert (await change(spine, uscc, {"area": area})).json()["decision"]["outcome"] == "accepted"

    await spine.quiet()
    moved = await risk_of(spine, uscc)
    assert moved["score"] == before["score"] + 20

    assert await spine.travel(date(2027, 1, 6)) > 1
    later = await risk_of(spine, uscc)
    assert later["score"] == before["score"] - 15, "a year on, changes of address count no more and newness counts half"
    assert later["assessed_on"] >= "2027-01-05"
