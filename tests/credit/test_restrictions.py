"""What the law attaches to what stands: a function of the grounds, told when it changes and only then."""

from datetime import date
from uuid import uuid4

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from libs.common.envelope import Incoming
from services.credit import policy
from services.credit.domain.restrictions import Restrictions, restrictions
from services.credit.published_events import RestrictionChanged
from services.credit.service import lift_announced
from tests.credit.office import Office

LAW = policy.current()
SHUTS = {"CB1", "CB2", "SE1", "SE-GEN", "SH1", "SH6"}
GROUNDS = st.sampled_from(sorted(LAW.grounds))


def test_nothing_standing_restricts_nothing() -> None:
    assert restrictions([], LAW) == Restrictions((), ())


def test_a_broken_commitment_or_the_serious_list_shuts_the_commitment_mode() -> None:
    for code in SHUTS:
        assert restrictions([code], LAW) == Restrictions(("commitment_mode",), (code,))


def test_no_measure_is_invented_for_what_the_law_attaches_none_to() -> None:
    for code in ("AB1", "AB4", "PP1", "PP2", "FI1", "SS1", "LI1"):
        assert restrictions([code], LAW) == Restrictions((), ())
    assert {row.restriction for row in LAW.measures} == {"commitment_mode"}


@given(st.lists(GROUNDS), st.randoms())
def test_neither_order_nor_repetition_matters(codes: list[str], chance: object) -> None:
    shuffled = codes * 2
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert restrictions(shuffled, LAW) == restrictions(codes, LAW)


@given(st.lists(GROUNDS), GROUNDS)
def test_what_stands_besides_never_lifts_a_restriction(codes: list[str], more: str) -> None:
    before, after = restrictions(codes, LAW), restrictions([*codes, more], LAW)
    assert set(before.measures) <= set(after.measures)
    assert set(before.grounds) <= set(after.grounds)


async def test_a_change_is_told_once_with_all_grounds_and_what_changes_nothing_is_not(office: Office) -> None:
    uscc = await office.registered()
    record = await office.commitment_unkept(uscc)
    await office.hear(
        "supervision.result_published", uscc, inspection_id="6b8068a8-eda0-4fb0-ab52-1ee405a275a6",
        codes=[{"code_set": "joint_inspection", "code": "09"}], published_on="2026-01-05",
    )  # fmt: skip
    await office.list_serious(uscc, record)
    assert (await office.post(f"/v1/records/{record}/erasure", reason="annulled")).status_code == 200

    told = [(one["restrictions"], one["grounds"]) for one in await office.said(uscc, "restriction_changed")]
    assert told == [
        (["commitment_mode"], ["CB1"]),
        (["commitment_mode"], ["CB1", "SE-GEN"]),
        (["commitment_mode"], ["SE-GEN"]),
    ]
    shown = await office.credit(uscc)
    assert (shown["restrictions"], shown["restriction_grounds"]) == (["commitment_mode"], ["SE-GEN"])


async def test_after_a_restore_what_was_announced_last_is_worked_out_again(office: Office) -> None:
    """The listing is lost with the rows of its day; the topic still says that the mode is shut."""
    uscc = await office.registered()
    data = RestrictionChanged(restrictions=("commitment_mode",), grounds=("SE-GEN",), changed_on=date(2026, 1, 5))
    adopted = Incoming(
        "credit.events", 0, 0, "/jingan/credit", uscc, 1, uuid4(), RestrictionChanged.type, "2026-01-05T01:00:00+00:00",
        uscc, None, msgspec.json.encode(data),
    )  # fmt: skip
    async with office.spine.database("credit") as connection:
        [sentence] = await lift_announced(connection, [adopted])
    assert sentence.startswith("1 announced restrictions")
    await office.spine.quiet()
    told = [(one["restrictions"], one["grounds"]) for one in await office.said(uscc, "restriction_changed")]
    assert told == [([], [])]
