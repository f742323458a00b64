"""Tasks drawn and inspections made on a real database: who is sent, what the code guards, what is told."""

import asyncio
import json
from datetime import date
from uuid import uuid4

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import signature
from services.supervision import consumed_events, domain, tables, use_cases
from tests.supervision.bureau import CLEAN, PROBLEM, START, Bureau, returned

INSPECTORS = ("inspector-1", "inspector-2", "inspector-3")


class TestATask:
    async def test_commits_to_a_seed_when_it_is_filed_and_opens_it_when_it_is_drawn(self, bureau: Bureau) -> None:
        await bureau.employs(*INSPECTORS)
        uscc = await bureau.registered("D")
        task, draw = await bureau.files()
        filed = await bureau.row("SELECT commitment, seed, record FROM draw WHERE id = $1", draw)
        assert filed["record"] is None

        drawn = await bureau.draws(task)

        assert drawn.commitment == filed["commitment"] == domain.commitment(filed["seed"], task)
        assert drawn.public_record is not None
        assert drawn.public_record["objects"] == [uscc]
        [(_, said)] = await bureau.said(str(task))
        assert said["commitment"] == filed["commitment"]
        assert said["record_digest"] == drawn.record_digest == drawn.public_record["record_digest"]

    async def test_signs_both_records_each_as_its_kind(self, bureau: Bureau) -> None:
        await bureau.employs(*INSPECTORS)
        await bureau.registered("A")
        drawn = await bureau.draws((await bureau.files())[0])
        public = signature.verify(drawn.public_jws or "", bureau.keys.keys)
        audited = signature.verify(drawn.record_jws or "", bureau.keys.keys)
        assert (public.kind, public.document) == ("draw", drawn.public_record)
        assert (audited.kind, audited.document) == ("draw-record", drawn.record)

    async def test_is_drawn_from_the_library_as_events_have_left_it(self, bureau: Bureau) -> None:
        """Classes from risk, whichever came first; B where risk has not spoken; the deregistered stand aside."""
        await bureau.employs(*INSPECTORS)
        high, unknown, gone = await bureau.registered("D"), await bureau.registered(), await bureau.registered("D")
        early = f"91310106MA{90:08d}"
        await bureau.hears("risk", early, consumed_events.ClassChanged(risk_class="C"))
        await bureau.hears("risk", high, consumed_events.ClassChanged(risk_class="A"))
        await bureau.hears(
            "registration", early,
            consumed_events.EnterpriseRegistered(registered_on=START, activities=("6210",), area="310106012"),
        )  # fmt: skip
        await bureau.hears("registration", gone, consumed_events.EnterpriseDeregistered(deregistered_on=START))
        old = f"91310106MA{91:08d}"
        taken_over = {"registered_on": date(2015, 6, 30), "activities": ("6210",), "area": "310106012"}
        await bureau.hears("registration", old, consumed_events.EnterpriseTakenOver(**taken_over))

        drawn = await bureau.draws((await bureau.files(ratios={"A": 0, "B": 100, "C": 100, "D": 100}))[0])

        assert drawn.record is not None
        assert {one["risk_class"]: sorted(one["drawn"]) for one in drawn.record["strata"]} == {
            "A": [], "B": sorted([unknown, old]), "C": [early], "D": [],
        }  # fmt: skip
        assert drawn.record["excluded"] == [{"uscc": gone, "reason": "deregistered"}]

    async def test_that_is_directed_concerns_enterprises_with_such_an_activity(self, bureau: Bureau) -> None:
        await bureau.employs(*INSPECTORS)
        restaurant = await bureau.registered("B", activities=("7020", "6210"))
        await bureau.registered("B", activities=("7231",))
        drawn = await bureau.draws((await bureau.files(activities=["62"]))[0])
        assert drawn.public_record is not None
        assert drawn.public_record["objects"] == [restaurant]
        with pytest.raises(use_cases.NobodyToInspect):
            await bureau.draws((await bureau.files(activities=["0422"]))[0])

    async def test_waits_for_its_day(self, bureau: Bureau) -> None:
        await bureau.employs(*INSPECTORS)
        await bureau.registered("B")
        task, _ = await bureau.files(on="2026-01-12")
        with pytest.raises(use_cases.TooEarly):
            await bureau.draws(task)
        await bureau.time_passes(date(2026, 1, 12))
        assert (await bureau.draws(task)).drawn_on == date(2026, 1, 12)

    async def test_is_drawn_once_when_two_supervisors_draw_at_once(self, bureau: Bureau) -> None:
        await bureau.employs(*INSPECTORS)
        usccs = sorted([await bureau.registered("C") for _ in range(5)])
        task, _ = await bureau.files()

        draws = await asyncio.gather(*(bureau.draws(task) for _ in range(4)))

        assert len({draw.public_jws for draw in draws}) == 1
        assert len(await bureau.said(str(task))) == 1
        rows = await bureau.rows("SELECT uscc FROM inspection WHERE task_id = $1 ORDER BY uscc", task)
        assert [row["uscc"] for row in rows] == usccs

    async def test_sends_two_with_a_code_of_its_own_to_each_and_tells_each_enterprise(self, bureau: Bureau) -> None:
        usccs = [await bureau.registered("C") for _ in range(4)]
        await bureau.employs("inspector-1", conflicts=usccs[:2])
        await bureau.employs("inspector-2", "inspector-3")
        await bureau.employs("inspector-4", department="health")
        task, _ = await bureau.files()
        await bureau.draws(task)

        visits = await bureau.rows("SELECT id, uscc, code FROM inspection WHERE task_id = $1", task)
        assert len({visit["code"] for visit in visits}) == len(visits) == 4
        for visit in visits:
            sent = await bureau.sent(visit["id"])
            assert len(sent) == 2
            assert "inspector-4" not in sent
            assert visit["uscc"] not in usccs[:2] or "inspector-1" not in sent
            [(type, said)] = await bureau.said(visit["uscc"])
            assert (type, said["code"], said["task_id"]) == ("inspection_assigned", visit["code"], str(task))

    async def test_with_too_few_inspectors_draws_nothing_and_the_same_objects_later(self, bureau: Bureau) -> None:
        await bureau.employs("inspector-1")
        for _ in range(40):
            await bureau.registered("C")
        task, draw = await bureau.files(ratios={"A": 0, "B": 0, "C": 10, "D": 0})
        with pytest.raises(domain.TooFewInspectors):
            await bureau.draws(task)
        assert (await bureau.row("SELECT drawn_on FROM draw WHERE id = $1", draw))["drawn_on"] is None
        assert await bureau.rows("SELECT 1 FROM inspection") == []
        await bureau.employs("inspector-2")
        assert len((await bureau.draws(task)).public_record["objects"]) == 4  # type: ignore[index]


class TestVerification:
    async def test_repeats_a_draw_that_nobody_has_touched_whatever_the_libraries_are_now(self, bureau: Bureau) -> None:
        await bureau.employs(*INSPECTORS)
        usccs = [await bureau.registered("ABCD"[n % 4]) for n in range(12)]
        task, draw = await bureau.files(ratios={"A": 10, "B": 20, "C": 50, "D": 100})
        await bureau.draws(task)
        await bureau.hears("risk", usccs[0], consumed_events.ClassChanged(risk_class="D"))
        await bureau.registered("D")
        assert await bureau.verifies(draw) == use_cases.Verified(True, True, True)

    @pytest.mark.parametrize(
        ("tampering", "verified"),
        [
            ("UPDATE draw SET seed = decode(repeat('00', 32), 'hex')", (False, False, False)),
            ("UPDATE draw SET commitment = repeat('0', 64)", (False, True, True)),
            ("UPDATE draw_object SET risk_class = 'A' WHERE risk_class = 'C'", (True, False, False)),
            (
                "UPDATE draw SET public_record = jsonb_set(public_record, '{objects}', '[]')",
                (True, False, True),
            ),
            (
                "UPDATE inspection SET uscc = '91310106MA99999999' "
                "WHERE id = (SELECT min(id::text)::uuid FROM inspection)",
                (True, True, False),
            ),
        ],
        ids=["seed", "commitment", "class", "public record", "visit"],
    )
    async def test_notices_what_was_changed_afterwards(
        self, bureau: Bureau, tampering: str, verified: tuple[bool, bool, bool]
    ) -> None:
        await bureau.employs(*INSPECTORS)
        for _ in range(20):
            await bureau.registered("C")
        task, draw = await bureau.files(ratios={"A": 0, "B": 0, "C": 30, "D": 0})
        await bureau.draws(task)
        async with bureau.spine.database("supervision") as connection:
            await connection.execute(tampering)
        found = await bureau.verifies(draw)
        assert (found.commitment_opens, found.record_equal, found.visits_equal) == verified
        assert not found.equal

    async def test_has_nothing_to_repeat_before_the_draw(self, bureau: Bureau) -> None:
        _, draw = await bureau.files()
        with pytest.raises(use_cases.NotDrawn):
            await bureau.verifies(draw)
        with pytest.raises(use_cases.TaskUnknown):
            await bureau.verifies(uuid4())


class TestATriggeredInspection:
    async def test_on_a_complaint_names_its_item_and_is_sent_to_by_draw(self, bureau: Bureau) -> None:
        await bureau.employs(*INSPECTORS)
        uscc = await bureau.registered()
        visit = await bureau.sends(uscc, item_id="P001")
        assert (visit.reason, visit.items, visit.departments) == ("complaint", ["P001"], ["market_regulation"])
        assert len(await bureau.sent(visit.id)) == 2

    async def test_of_a_commitment_takes_its_item_its_department_and_its_case(self, bureau: Bureau) -> None:
        await bureau.employs("inspector-4", department="fire_and_rescue")
        await bureau.employs("inspector-1")
        uscc = await bureau.registered()
        commitment = await bureau.commits(uscc)

        visit = await bureau.sends(uscc, reason="commitment_check", commitment_id=commitment, item_id=None)

        assert (visit.item_id, visit.departments, visit.correlation_id) == ("P033", ["fire_and_rescue"], "case-1")
        assert await bureau.sent(visit.id) == ["inspector-1", "inspector-4"], "one of the department, joined by another"
        with pytest.raises(domain.FormReturned) as again:
            await bureau.sends(uscc, reason="commitment_check", commitment_id=commitment, item_id=None)
        assert returned(again.value) == {("commitment_id", "commitment_under_check")}

    async def test_is_refused_where_there_is_nothing_to_check(self, bureau: Bureau) -> None:
        await bureau.employs(*INSPECTORS)
        uscc, other = await bureau.registered(), await bureau.registered()
        commitment = await bureau.commits(uscc)
        permit = (await bureau.row("SELECT permit_id FROM permit"))["permit_id"]
        for fields, fault in (
            ({"uscc": other, "commitment_id": commitment}, "commitment_unknown"),
            ({"uscc": uscc, "commitment_id": None}, "commitment_unknown"),
        ):
            with pytest.raises(domain.FormReturned) as refused:
                await bureau.sends(**fields, reason="commitment_check", item_id=None)
            assert returned(refused.value) == {("commitment_id", fault)}
        await bureau.hears(
            "licensing", uscc, consumed_events.PermitRevoked(permit_id=permit, revoked_on=bureau.clock.today())
        )
        with pytest.raises(domain.FormReturned) as ended:
            await bureau.sends(uscc, reason="commitment_check", commitment_id=commitment, item_id=None)
        assert returned(ended.value) == {("commitment_id", "commitment_settled")}

    async def test_names_every_inspector_who_cannot_go(self, bureau: Bureau) -> None:
        uscc = await bureau.registered()
        await bureau.employs("inspector-1", conflicts=[uscc])
        await bureau.employs("inspector-4", "inspector-5", department="health")
        for accounts, faults in (
            (
                ("inspector-1", "nobody"),
                {("inspectors.0", "inspector_in_conflict"), ("inspectors.1", "inspector_not_available")},
            ),
            (("inspector-4", "inspector-4"), {("inspectors", "inspectors_too_few")}),
            (("inspector-4", "inspector-5"), {("inspectors", "inspectors_of_other_departments")}),
        ):
            with pytest.raises(domain.FormReturned) as refused:
                await bureau.sends(uscc, inspectors=accounts)
            if faults == {("inspectors", "inspectors_too_few")}:
                assert returned(refused.value) >= faults
            else:
                assert returned(refused.value) == faults
        with pytest.raises(domain.FormReturned) as unknown:
            await bureau.sends("91310106MA77777777", item_id="X1")
        assert returned(unknown.value) == {("uscc", "enterprise_not_in_library"), ("item_id", "item_unknown")}


class TestAResult:
    async def test_needs_the_code_of_its_own_inspection(self, bureau: Bureau) -> None:
        await bureau.employs(*INSPECTORS)
        uscc = await bureau.registered()
        visit, other = await bureau.sends(uscc), await bureau.sends(uscc)
        first, second = await bureau.sent(visit.id)
        for code in (None, other.code, "x"):
            with pytest.raises(use_cases.CodeNeeded):
                await bureau.reports(visit, first, CLEAN, code)
        await bureau.reports(visit, first, CLEAN)
        with pytest.raises(use_cases.CodeNeeded):
            await bureau.confirms(visit, second, other.code)
        assert (await bureau.confirms(visit, second)).state == "completed"

    async def test_is_for_the_inspectors_of_the_visit_alone(self, bureau: Bureau) -> None:
        await bureau.employs(*INSPECTORS)
        visit = await bureau.sends(await bureau.registered(), inspectors=("inspector-1", "inspector-2"))
        for act in (bureau.reports(visit, "inspector-3", CLEAN), bureau.confirms(visit, "inspector-3")):
            with pytest.raises(use_cases.InspectionUnknown):
                await act

    async def test_takes_two_and_the_second_may_see_it_otherwise(self, bureau: Bureau) -> None:
        await bureau.employs(*INSPECTORS)
        uscc = await bureau.registered()
        visit = await bureau.sends(uscc, inspectors=("inspector-1", "inspector-2"))
        with pytest.raises(use_cases.NotReported):
            await bureau.confirms(visit, "inspector-2")
        await bureau.reports(visit, "inspector-1", CLEAN)
        with pytest.raises(use_cases.SecondInspectorNeeded):
            await bureau.confirms(visit, "inspector-1")
        with pytest.raises(use_cases.ResultStands):
            await bureau.reports(visit, "inspector-1", PROBLEM)

        await bureau.reports(visit, "inspector-2", PROBLEM)
        await bureau.confirms(visit, "inspector-1")

        [(_, said)] = await bureau.said(uscc, "inspection_completed")
        assert (said["problem"], said["codes"]) == (True, [{"code_set": "joint_inspection", "code": "09"}])
        for act in (bureau.reports(visit, "inspector-2", CLEAN), bureau.confirms(visit, "inspector-2")):
            with pytest.raises(use_cases.ResultStands):
                await act

    async def test_is_confirmed_once_when_two_confirm_at_once(self, bureau: Bureau) -> None:
        await bureau.employs(*INSPECTORS)
        uscc = await bureau.registered()
        visit = await bureau.sends(uscc, inspectors=INSPECTORS)
        await bureau.reports(visit, "inspector-1", PROBLEM)
        done = await asyncio.gather(*(bureau.confirms(visit, who) for who in INSPECTORS[1:]), return_exceptions=True)
        assert sorted(type(one).__name__ for one in done) == ["Inspection", "ResultStands"]
        assert len(await bureau.said(uscc, "inspection_completed")) == 1
        assert len(await bureau.rows("SELECT 1 FROM correction")) == 1

    async def test_of_a_check_that_took_place_settles_the_commitment(self, bureau: Bureau) -> None:
        await bureau.employs("inspector-1", "inspector-2", department="fire_and_rescue")
        uscc = await bureau.registered()
        commitment = await bureau.commits(uscc)
        refused = await bureau.sends(uscc, reason="commitment_check", commitment_id=commitment, item_id=None)
        await bureau.completes(refused, [("joint_inspection", "04")])
        assert (await bureau.row("SELECT checked_on FROM obligation"))["checked_on"] is None, (
            "who refuses is not checked"
        )

        visit = await bureau.sends(uscc, reason="commitment_check", commitment_id=commitment, item_id=None)
        await bureau.completes(visit, PROBLEM)

        assert (await bureau.row("SELECT checked_on FROM obligation"))["checked_on"] == START
        [(_, first), (_, second)] = await bureau.said(uscc, "inspection_completed")
        assert (first["refused"], first["problem"]) == (True, False)
        assert (second["commitment_id"], second["item_id"], second["problem"]) == (str(commitment), "P033", True)

    async def test_publishes_itself_on_the_twentieth_working_day(self, bureau: Bureau) -> None:
        await bureau.employs(*INSPECTORS)
        uscc = await bureau.registered()
        visit = await bureau.completes(await bureau.sends(uscc), CLEAN)
        assert visit.publish_by == date(2026, 2, 2), "20 working days after 5 January"

        await bureau.time_passes(date(2026, 2, 1))
        assert await bureau.said(uscc, "result_published") == []
        await bureau.time_passes(date(2026, 2, 10))

        [(_, said)] = await bureau.said(uscc, "result_published")
        assert (said["published_on"], said["inspection_id"]) == ("2026-02-02", str(visit.id))

    async def test_published_before_its_day_is_published_once(self, bureau: Bureau) -> None:
        await bureau.employs(*INSPECTORS)
        uscc = await bureau.registered()
        visit = await bureau.sends(uscc)
        with pytest.raises(use_cases.NotCompleted):
            await bureau.act(lambda session: use_cases.publish_result(session, visit.id, bureau.clock))
        await bureau.completes(visit, CLEAN)
        await bureau.act(lambda session: use_cases.publish_result(session, visit.id, bureau.clock))
        with pytest.raises(use_cases.AlreadyPublished):
            await bureau.act(lambda session: use_cases.publish_result(session, visit.id, bureau.clock))
        await bureau.time_passes(date(2026, 3, 2))
        assert [said["published_on"] for _, said in await bureau.said(uscc, "result_published")] == ["2026-01-05"]


async def test_no_event_and_no_public_record_names_a_class(bureau: Bureau) -> None:
    await bureau.employs(*INSPECTORS)
    for letter in "ABCD":
        await bureau.registered(letter)
    drawn = await bureau.draws((await bureau.files())[0])
    visits = await bureau.act(inspections)
    for visit in visits:
        await bureau.completes(visit, PROBLEM)
    told = [json.loads(row["data"]) for row in await bureau.rows("SELECT data FROM outbox")]
    words = json.dumps([told, drawn.public_record])
    assert len(told) == 1 + 4 * 3
    assert not [word for word in ("class", "strat", "ratio", "seed", '"A"', '"B"', '"C"', '"D"') if word in words]


async def inspections(session: AsyncSession) -> list[tables.Inspection]:
    return list((await session.exec(select(tables.Inspection))).all())
