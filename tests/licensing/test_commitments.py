"""The commitment mode (告知承诺): granted at once, checked later, revoked where it was not kept, and then shut."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.licensing import use_cases
from tests.licensing.office import Office


async def committed(office: Office, *activities: str, item: str = "P033") -> tuple[str, UUID]:
    """An enterprise whose permit was granted on a commitment."""
    uscc = await office.registered(*(activities or ("6210", "8930")))
    await office.applies(uscc, item, "commitment")
    [given] = await office.said(uscc, "commitment_given")
    return uscc, UUID(given["commitment_id"])


async def inspected(office: Office, uscc: str, commitment: UUID | None, *, problem: bool = True) -> UUID:
    inspection = uuid4()
    await office.hears(
        "supervision", "inspection_completed", uscc, inspection_id=inspection, task_id=None, commitment_id=commitment,
        item_id="P033", codes=[], problem=problem, refused=False, unreachable=False, completed_on="2026-01-20",
    )  # fmt: skip
    return inspection


async def correction(office: Office, what: str, uscc: str, commitment: UUID | None) -> None:
    await office.hears(
        "supervision", f"correction_{what}", uscc, correction_id=uuid4(), inspection_id=uuid4(),
        commitment_id=commitment, **{f"{what}_on": "2026-02-10"},
    )  # fmt: skip


async def restricted(office: Office, uscc: str, *grounds: str) -> None:
    restrictions = ["commitment_mode"] if grounds else []
    await office.hears(
        "credit", "restriction_changed", uscc, restrictions=restrictions, grounds=grounds, changed_on="2026-02-11"
    )


async def commitment_of(office: Office, id: UUID) -> asyncpg.Record:
    [row] = await office.rows("commitment", "id", id)
    return row


async def shut(office: Office, uscc: str, item: str = "P026") -> list[tuple[str, tuple[str, ...]]]:
    """Why the mode is shut to the enterprise for another item."""
    with pytest.raises(use_cases.CommitmentModeShut) as refused:
        await office.applies(uscc, item, "commitment")
    assert all(one.bar.source for one in refused.value.bars)
    return [(one.bar.bar, one.grounds) for one in refused.value.bars]


class TestACommitment:
    async def test_grants_the_permit_at_once_and_is_checked_later(self, office: Office) -> None:
        uscc = await office.registered("6210")
        granted = await office.applies(uscc, "P033", "commitment")
        assert granted.status == "granted"
        permit, given = await office.said(uscc, "permit_granted", "commitment_given")
        assert (permit["mode"], given["permit_id"]) == ("notification_commitment", permit["permit_id"])
        assert given["check_by"] == "2026-02-02", "20 working days, the district's own setting"

    async def test_is_given_in_writing(self, office: Office) -> None:
        uscc = await office.registered("6210")
        with pytest.raises(use_cases.CommitmentNotAccepted):
            await office.applies(uscc, "P033", "commitment", accepted=False)
        assert not await office.rows("permit", "uscc", uscc)

    @pytest.mark.parametrize(("activity", "item"), [("6210", "P001"), ("7262", "P062")])
    async def test_is_not_taken_where_no_verified_row_offers_it(self, office: Office, activity: str, item: str) -> None:
        """P001 is optimised; P062 is in commitment mode from memory, so an officer decides."""
        uscc = await office.registered(activity)
        with pytest.raises(use_cases.WayNotOffered):
            await office.applies(uscc, item, "commitment")
        assert (await office.applies(uscc, item, "ordinary")).status == "in_review"

    async def test_may_be_declined_for_the_ordinary_way(self, office: Office) -> None:
        filed = await office.applies(await office.registered("6210"), "P033", "ordinary")
        assert (filed.status, filed.decide_by) == ("in_review", date(2026, 1, 19)), "10 working days"


class TestACheck:
    async def test_that_finds_no_problem_changes_nothing(self, office: Office) -> None:
        uscc, commitment = await committed(office)
        await inspected(office, uscc, commitment, problem=False)
        await inspected(office, uscc, None)
        assert (await commitment_of(office, commitment))["state"] == "given"
        assert not await office.said(uscc, "commitment_unkept")

    async def test_that_finds_it_unkept_says_so_once_and_leaves_the_permit(self, office: Office) -> None:
        uscc, commitment = await committed(office)
        inspection = await inspected(office, uscc, commitment)
        await inspected(office, uscc, commitment)
        [said] = await office.said(uscc, "commitment_unkept")
        assert (said["commitment_id"], said["inspection_id"]) == (str(commitment), str(inspection))
        assert not await office.said(uscc, "permit_revoked")

    async def test_of_somebody_elses_commitment_is_none(self, office: Office) -> None:
        _, commitment = await committed(office)
        other = await office.registered("6210")
        await inspected(office, other, commitment)
        assert (await commitment_of(office, commitment))["state"] == "given"
        assert not await office.said(other, "commitment_unkept")

    async def test_followed_by_correction_in_time_opens_the_mode_again(self, office: Office) -> None:
        uscc, commitment = await committed(office, "6210", "8760")
        await inspected(office, uscc, commitment)
        assert await shut(office, uscc) == [("commitment_unrepaired", (str(commitment),))]
        await correction(office, "met", uscc, commitment)
        assert (await commitment_of(office, commitment))["state"] == "kept"
        assert (await office.applies(uscc, "P026", "commitment")).status == "granted"

    async def test_not_followed_by_correction_revokes_the_permit_for_the_activities_that_needed_it(
        self, office: Office
    ) -> None:
        uscc, commitment = await committed(office, "6210", "5432", "8930")
        await inspected(office, uscc, commitment)
        await correction(office, "overdue", uscc, commitment)
        await correction(office, "overdue", uscc, commitment)
        [said] = await office.said(uscc, "permit_revoked")
        assert said["reason"] == "commitment_unkept"
        assert said["activities"] == ["6210", "8930"], "haulage needs no fire inspection"
        assert said["revoked_on"] == "2026-02-10"

    async def test_corrected_too_late_does_not_bring_the_permit_back(self, office: Office) -> None:
        uscc, commitment = await committed(office)
        await inspected(office, uscc, commitment)
        await correction(office, "overdue", uscc, commitment)
        await correction(office, "met", uscc, commitment)
        assert (await commitment_of(office, commitment))["state"] == "revoked"


class TestTheMode:
    async def test_is_shut_while_credit_restricts_it_with_the_grounds(self, office: Office) -> None:
        uscc = await office.registered("6210")
        await restricted(office, uscc, "SE-GEN")
        assert await shut(office, uscc, "P033") == [("credit_restriction", ("SE-GEN",))]
        assert (await office.applies(uscc, "P033", "ordinary")).status == "in_review", "the ordinary way stays open"

    async def test_opens_when_the_restriction_ends(self, office: Office) -> None:
        uscc = await office.registered("6210")
        await restricted(office, uscc, "SE-GEN")
        await restricted(office, uscc)
        assert (await office.applies(uscc, "P033", "commitment")).status == "granted"

    async def test_is_shut_by_a_restriction_that_came_before_the_enterprise(self, office: Office) -> None:
        """Topics are not ordered against each other."""
        uscc = "91310106MA0000EARY"
        await restricted(office, uscc, "CB1")
        await office.registered("6210", uscc=uscc)
        assert await shut(office, uscc, "P033") == [("credit_restriction", ("CB1",))]

    async def test_stays_shut_after_a_broken_commitment_until_it_is_repaired(self, office: Office) -> None:
        uscc, commitment = await committed(office, "6210", "8760")
        await inspected(office, uscc, commitment)
        await correction(office, "overdue", uscc, commitment)
        broken: Any = ("commitment_unrepaired", (str(commitment),))
        assert await shut(office, uscc, "P033") == [broken]
        await restricted(office, uscc, "CB1", "SE-GEN")
        assert await shut(office, uscc) == [("credit_restriction", ("CB1", "SE-GEN")), broken]

        await restricted(office, uscc, "SE-GEN")
        assert await shut(office, uscc) == [("credit_restriction", ("SE-GEN",))], (
            "the breach is repaired, the list stands"
        )
        await restricted(office, uscc)
        assert (await commitment_of(office, commitment))["repaired_on"] == date(2026, 2, 11)
        assert (await office.applies(uscc, "P033", "commitment")).status == "granted"

    async def test_is_not_opened_by_the_end_of_a_restriction_that_knew_nothing_of_the_breach(
        self, office: Office
    ) -> None:
        uscc, commitment = await committed(office, "6210", "8760")
        await inspected(office, uscc, commitment)
        await restricted(office, uscc, "SE-GEN")
        await restricted(office, uscc)
        assert await shut(office, uscc) == [("commitment_unrepaired", (str(commitment),))]


async def test_permits_end_with_the_enterprise(office: Office) -> None:
    uscc, commitment = await committed(office, "6210")
    await office.hears("registration", "enterprise_deregistered", uscc, deregistered_on="2026-03-02")
    [said] = await office.said(uscc, "permit_revoked")
    assert (said["reason"], said["activities"]) == ("enterprise_deregistered", ["6210"])
    await inspected(office, uscc, commitment)
    await correction(office, "overdue", uscc, commitment)
    assert len(await office.said(uscc, "permit_revoked")) == 1
