"""Events become lines of a case: each has its sentence, each is told once, and what is for staff stays with staff."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.contracts import events, history, readers
from libs.common.clock import BusinessClock
from libs.common.database import Database, open_database
from libs.common.envelope import Incoming, UnknownVersion, read
from libs.common.run import prepare
from libs.common.transaction import once
from services.lobby import reactions, repository, views, words
from services.lobby.consumed_events import CONSUMED, OF_APPLICATIONS
from services.lobby.service import service
from tests.spine import Spine

USCC = "91310106MA0000015B"
APPLICATION = uuid4()
NOON = datetime(2026, 1, 5, 4, tzinfo=UTC)


def event(type: str, data: dict[str, Any], *, subject: str = USCC, id: UUID | None = None) -> Incoming:
    source = f"/jingan/{type.partition('.')[0]}"
    return Incoming("", 0, 0, source, subject, 1, id or uuid4(), type, NOON.isoformat(), "", None,
                    msgspec.json.encode(data))  # fmt: skip


def submitted(**changes: Any) -> Incoming:
    data = {"filed_by": "applicant-1", "status": "registered", "round": 1, "uscc": USCC, **changes}
    return event("registration.application_submitted.v1", data, subject=str(APPLICATION))


def registered() -> Incoming:
    return event(
        "registration.enterprise_registered.v1", {"application_id": str(APPLICATION), "filed_by": "applicant-1"}
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(spine: Spine) -> AsyncIterator[Database]:
    with spine.as_environment():
        settings = service.load_settings()
        opened = open_database(settings)
        await prepare(service, settings, opened)
        yield opened
        await opened.engine.dispose()


async def hear(database: Database, *events: Incoming) -> None:
    await once(database, lambda session: reactions.apply(session, events, BusinessClock()))


async def rows(spine: Spine, query: str, *arguments: Any) -> list[dict[str, Any]]:
    async with spine.database("lobby") as connection:
        await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
        return [dict(row) for row in await connection.fetch(query, *arguments)]


async def test_a_case_gathers_what_all_departments_say_in_whatever_order(spine: Spine, database: Database) -> None:
    granted = event("licensing.permit_granted.v1", {"permit_id": str(uuid4()), "item_id": "P033",
                    "department": "fire_and_rescue", "mode": "notification_commitment"})  # fmt: skip
    for one in (granted, registered(), submitted()):  # the last comes first
        await hear(database, one)
    token = words.language.set("zh")
    said = [
        line.words
        for line in views.lines(await rows(spine, repository.TIMELINE_OF_APPLICATION, APPLICATION), staff=False)
    ]
    words.language.reset(token)
    assert said == [
        "告知承诺，当场准予许可：公众聚集场所投入使用、营业前消防安全检查",
        "准予登记，已签发电子营业执照",
        "已收到申请",
    ]


async def test_an_event_heard_twice_is_one_line(spine: Spine, database: Database) -> None:
    met = event("supervision.correction_met.v1", {})
    newest = await rows(spine, f"SELECT ({repository.NEWEST_OF_APPLICATION}) AS n", APPLICATION)
    await hear(database, met)
    after_one = await rows(spine, f"SELECT ({repository.NEWEST_OF_APPLICATION}) AS n", APPLICATION)
    assert after_one[0]["n"] > newest[0]["n"], "an open page learns of it"
    await hear(database, met, met)
    assert len(await rows(spine, "SELECT 1 FROM timeline_entry WHERE event_id = $1", met.id)) == 1


async def test_whose_case_it_is_is_asked_in_the_query(spine: Spine, database: Database) -> None:
    await hear(database, submitted())
    for account, theirs in (("applicant-1", True), ("applicant-2", False), (None, True)):
        [row] = await rows(spine, repository.OWNS_APPLICATION, APPLICATION, account)
        assert row["exists"] is theirs


async def test_what_risk_says_goes_where_no_applicant_page_reads(spine: Spine, database: Database) -> None:
    before = await rows(spine, "SELECT count(*) FROM timeline_entry")
    data = {"risk_class": "D", "before": "B", "score": 287, "assessed_on": "2026-01-05", "scorecard": "s"}
    await hear(database, event("risk.class_changed.v1", data))
    assert await rows(spine, "SELECT count(*) FROM timeline_entry") == before
    assert [row["codes"]["risk_class"] for row in await rows(spine, repository.RISK_HISTORY, USCC)] == ["D"]
    assert not await rows(spine, "SELECT 1 FROM timeline_entry WHERE source = '/jingan/risk'")


async def test_what_relatives_bring_upon_an_enterprise_is_evidence_in_words_for_those_who_supervise(
    spine: Spine, database: Database
) -> None:
    other = "91310106MA00000200"
    data = {"indicator": "related_serious_list", "record": other, "value": 1, "since": "2026-01-05"}
    address = {"indicator": "shared_address_density", "record": "domicile", "value": 10, "since": "2026-01-05"}
    told = [event("risk.related_party_signalled.v1", one) for one in (data, address, {**data, "value": 0})]
    before = await rows(spine, "SELECT count(*) FROM timeline_entry")
    history = await rows(spine, repository.RISK_HISTORY, USCC)
    await hear(database, *told)
    assert await rows(spine, "SELECT count(*) FROM timeline_entry") == before, "no applicant's page reads it"
    assert await rows(spine, repository.RISK_HISTORY, USCC) == history, "it is no class"
    found = {row["event_id"]: row for row in await rows(spine, repository.EVENTS, [one.id for one in told])}
    said = []
    for language in ("zh", "en"):
        token = words.language.set(language)
        said += [views.line(found[one.id]).words for one in told]
        words.language.reset(token)
    assert said == [
        f"企业 {other}：关联企业严重失信（自2026年1月5日起）", "同一住所登记企业不少于 10 户（自2026年1月5日起）",
        "已不再存在：关联企业严重失信",
        f"Enterprise {other}: Related enterprise on the serious list, since 5 January 2026",
        "10 or more enterprises at its address, since 5 January 2026",
        "No longer: Related enterprise on the serious list",
    ]  # fmt: skip


async def test_everything_that_is_read_is_told(spine: Spine, database: Database) -> None:
    """Each sample of what the others have ever said becomes one row, all in one batch."""
    read_here = {kind.type for kind in events.consumed()["lobby"]}
    shapes = [shape for of_type in history.load().values() for shape in of_type if shape.type in read_here]
    samples = [read(readers.record(shape, shape.data), shape.headers["ce_source"]) for shape in shapes]
    heard = [one._replace(id=uuid4()) for one in samples if isinstance(one, Incoming)]
    await hear(database, *heard)
    assert {one.type for one in heard} == read_here
    told = await rows(spine, repository.EVENTS, [one.id for one in heard])
    assert {row["event_id"]: row["type"] for row in told} == {one.id: one.type for one in heard}
    assert len(told) == len(heard) == len(samples)


async def test_what_nobody_here_reads_is_passed_over_and_an_unknown_version_is_not(
    spine: Spine, database: Database
) -> None:
    met, foreign = event("supervision.correction_met.v1", {}), event("supervision.lunch_taken.v1", {})
    with pytest.raises(UnknownVersion):
        await hear(database, met, event("supervision.correction_met.v2", {}))
    assert not await rows(spine, repository.EVENTS, [met.id])
    await hear(database, foreign, met)
    assert [row["event_id"] for row in await rows(spine, repository.EVENTS, [met.id, foreign.id])] == [met.id]


OTHER, ANOTHER = "91310106MA00000200", uuid4()


def said_of_two_cases() -> list[Incoming]:
    """Events that say of two applications and two enterprises whose they are and that they belong together, say
    otherwise, or leave it out."""
    said = [
        event("credit.record_rejected.v1", {"reason": "unknown_subject"}, subject="record-1"),
        *(event("supervision.correction_met.v1", {}, subject=uscc) for uscc in (USCC, OTHER)),
        *(event("risk.related_party_signalled.v1", {"indicator": "shared_address_density", "record": "domicile",
                "value": value, "since": "2026-01-05"}) for value in (0, 10)),
    ]  # fmt: skip
    for application in (APPLICATION, ANOTHER):
        subject = str(application)
        said.append(event("registration.corrections_requested.v1", {"due_on": "2026-01-05"}, subject=subject))
        for whose in ("applicant-1", "applicant-2"):
            requested = {"filed_by": whose, "due_on": "2026-01-05"}
            said.append(event("registration.signatures_requested.v1", requested, subject=subject))
            said += [
                submitted(filed_by=whose, uscc=uscc)._replace(subject=subject, id=uuid4()) for uscc in (None, USCC)
            ]
        for uscc in (USCC, OTHER):
            decided = {"outcome": "registered", "decided_by": "registrar-1", "uscc": uscc}
            said.append(event("registration.application_decided.v1", decided, subject=subject))
            for more in ({}, {"filed_by": "applicant-1"}, {"filed_by": "applicant-2"}):
                registration = {"application_id": subject, **more}
                said.append(event("registration.enterprise_registered.v1", registration, subject=uscc))
    return said


SAID = said_of_two_cases()
TABLES = {
    "application": "application_id", "enterprise": "uscc", "timeline_entry": "n", "risk_event": "event_id"
}  # fmt: skip


async def kept(spine: Spine, database: Database, *batches: list[Incoming]) -> dict[str, list[dict[str, Any]]]:
    """What is in every table once an empty lobby has heard this; of the timeline, lines in their order."""
    async with spine.database("lobby") as connection:
        await connection.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY")
    for batch in batches:
        await hear(database, *batch)
    return {table: await rows(spine, f"SELECT * FROM {table} ORDER BY {key}") for table, key in TABLES.items()}


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(batches=st.lists(st.lists(st.sampled_from(SAID), max_size=15), max_size=4))
async def test_a_batch_leaves_what_its_events_leave_one_by_one(
    spine: Spine, database: Database, batches: list[list[Incoming]]
) -> None:
    one_by_one = [[one] for batch in batches for one in batch]
    assert await kept(spine, database, *batches) == await kept(spine, database, *one_by_one)


def example(kind: type[Any]) -> dict[str, Any]:
    """Some value for each field of a consumed type."""
    values = {"codes": [{"code_set": "joint_inspection", "code": "09"}], "requirements": [{"item_id": "P033"}],
              "problem": True, "granted": True, "restrictions": [], "activities": ["6210"], "changed": [],
              "application_id": str(APPLICATION), "since": "2026-01-05"}  # fmt: skip
    return {
        field.name: values.get(field.name, "2026-01-05" if field.name.endswith(("_on", "_by", "_until")) else "P033")
        for field in msgspec.structs.fields(kind)
    }


@pytest.mark.parametrize("kind", CONSUMED, ids=lambda kind: kind.type)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_type_that_is_heard_has_its_sentence(kind: type[Any], language: words.Language) -> None:
    token = words.language.set(language)
    said = views.line({"type": kind.type, "time": NOON, "codes": example(kind)}).words
    assert said != words.say(views.UNTOLD)
    assert "%(" not in said
    words.language.reset(token)


def test_no_sentence_and_no_variant_is_left_over() -> None:
    known = {kind.type.rpartition(".")[0] for kind in CONSUMED}
    assert {key.partition(":")[0] for key in views.SENTENCES} == known
    assert (views.VARIANTS.keys() | views.STAFF_ONLY | set(views.FIRST_ACTS)) <= known
    assert {key.partition(":")[0] for key in views.BAD} <= known


def test_an_enterprise_does_not_learn_beforehand_of_its_inspection() -> None:
    assigned = {"type": "supervision.inspection_assigned.v1", "time": NOON, "codes": {"code": "0" * 32}}
    assert views.lines([assigned], staff=False) == []
    assert len(views.lines([assigned], staff=True)) == 1


def test_those_whose_subject_is_an_application_say_so() -> None:
    from services.registration import published_events

    published = {kind.type: kind.subject_kind for kind in published_events.PUBLISHED}
    assert {kind.type for kind in OF_APPLICATIONS} == {
        type for type, subject in published.items() if subject == "application"
    }
