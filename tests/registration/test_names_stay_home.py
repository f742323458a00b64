"""Names of people stand in `party` and `draft` and nowhere else: in no other table, no event, no log, not in risk; and
what officers write stays with the application."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from libs.common import kafka
from libs.common.database import connect, open_database
from libs.common.settings import Settings, load
from tests.http.wire import APPLICATIONS, as_json, send, tables
from tests.spine import Spine, change, eventually, form, get, post, risk_of, submit

PERSON, INVESTOR, OFFICER = "欧阳雪莲花", "Zebulon Quisenberry-Featherstone", "Ximena Abernathy-Óðinsdóttir"
NAMES = (PERSON, INVESTOR, OFFICER)
WORDS, REASON = "请核对章程第廿七条之出资期限", "此处为审核人员内部理由之原文"
"""What an officer asks to have corrected, and why he decides."""


@pytest.fixture(scope="module")
def url(spine: Spine) -> str:
    return spine.up("registration", "risk").service("registration").url


def telling_form(**changes: Any) -> dict[str, Any]:
    """A form whose every person has a name that stands nowhere else in the world."""
    investors = [
        {"name": PERSON, "kind": "natural", "country": "CN", "share": "40"},
        {"name": INVESTOR, "kind": "natural", "country": "DE", "share": "60"},
    ]
    return form(investors=investors, legal_representative={"name": OFFICER, "nationality": "MX"}, **changes)


def tell(where: str, raw: bytes, texts: Sequence[str] = NAMES) -> list[str]:
    """The texts in these bytes: as they are, escaped in JSON, or in hexadecimal as PostgreSQL shows bytes."""
    return [f"{text} in {where}" for text in texts if any(spelt in raw for spelt in spellings(text))]


def spellings(name: str) -> list[bytes]:
    return [name.encode(), json.dumps(name)[1:-1].encode(), name.encode().hex().encode()]


async def standing_in_tables(spine: Spine, service: str, texts: Sequence[str] = NAMES) -> list[str]:
    """The texts in every table of a service, and the table each stands in."""
    found = []
    async with spine.database(service) as connection:
        for table in await tables(connection):
            rows = await connection.fetch(f'SELECT t::text AS row FROM "{table}" t')
            found += tell(f"{service}.{table}", "\n".join(row["row"] for row in rows).encode(), texts)
    return found


async def on_topics(spine: Spine, texts: Sequence[str] = NAMES) -> list[str]:
    found = []
    with spine.as_environment():
        settings = load(Settings, "registration")
    for service in ("registration", "risk"):
        topic = f"{spine.namespace}{service}.events"
        async for record in kafka.records(settings, topic):
            whole = [record.key or b"", record.value or b"", *(value for _, value in record.headers)]
            found += tell(topic, b"\n".join(whole), texts)
    return found


def in_logs(spine: Spine, texts: Sequence[str] = NAMES) -> list[str]:
    return [
        found
        for name, process in spine.processes.items()
        for found in tell(f"log of {name}", process.log.read_bytes(), texts)
    ]


async def test_names_stay_in_party_whatever_becomes_of_the_form(spine: Spine, url: str) -> None:
    accepted = await submit(spine, telling_form())
    refused = await submit(spine, telling_form(activities=["0422"]))
    in_review = await submit(spine, telling_form(activities=["6311"]))
    returned = await submit(spine, telling_form(area="310106999"))
    malformed = await submit(spine, telling_form(colour=PERSON))
    assert [answer.json()["status"] for answer in (accepted, refused, in_review, returned, malformed)] == [
        "registered", "refused", "in_review", 422, 422,
    ]  # fmt: skip
    changed = await change(spine, accepted.json()["uscc"], {"area": "310106013"})
    await eventually(lambda: risk_of(spine, accepted.json()["uscc"]))
    await spine.quiet()

    for answer in (accepted, refused, in_review, returned, malformed, changed):
        assert not tell("an answer", answer.content)
    assert await standing_in_tables(spine, "registration") == [f"{name} in registration.party" for name in NAMES]
    assert await standing_in_tables(spine, "risk") == []
    assert await on_topics(spine) == []
    assert in_logs(spine) == []


async def test_a_draft_holds_names_for_its_owner_alone_until_it_is_submitted(spine: Spine, url: str) -> None:
    draft = (await post(spine, "/v1/drafts", {"content": telling_form()})).json()
    path = f"/v1/drafts/{draft['id']}"
    saved = await post(spine, path, {"content": telling_form(remark=PERSON)}, method="PUT", if_match=1)
    returned = await submit(spine, telling_form(area="310106999", draft_id=draft["id"]))
    assert (saved.status_code, returned.status_code) == (200, 422)
    assert not tell("an answer", saved.content)
    assert len(tell("what its owner reads", (await get(spine, path)).content)) == len(NAMES)
    stand = await standing_in_tables(spine, "registration")
    assert {where.rpartition(" ")[2] for where in stand} == {"registration.draft", "registration.party"}

    assert (await submit(spine, telling_form(draft_id=draft["id"]))).json()["status"] == "registered"
    assert await standing_in_tables(spine, "registration") == [f"{name} in registration.party" for name in NAMES]
    await spine.quiet()
    assert await on_topics(spine) == []
    assert in_logs(spine) == []


async def test_what_officers_write_stays_with_the_application(spine: Spine, url: str) -> None:
    id = (await submit(spine, telling_form(activities=["6311"]))).json()["id"]
    path, officer = f"/v1/applications/{id}", "registrar-1"
    await claim(spine, id)
    asked = {"fields": [{"field": "term", "words": WORDS}]}
    sent_back = await post(spine, f"{path}/corrections", asked, person=officer, if_match=1)
    await post(spine, f"{path}/resubmission", telling_form(activities=["6311"]), if_match=2)
    await claim(spine, id)
    ruling = {"outcome": "register", "reason": REASON}
    decided = await post(spine, f"{path}/decision", ruling, person=officer, if_match=3)
    assert decided.json()["status"] == "registered"
    await spine.quiet()

    said = (WORDS, REASON)
    for answer in (sent_back, decided):
        assert not tell("an answer that is kept", answer.content, said)
    assert await standing_in_tables(spine, "registration", said) == [
        f"{REASON} in registration.application", f"{WORDS} in registration.earlier_round",
    ]  # fmt: skip
    assert await standing_in_tables(spine, "risk", said) == []
    assert await on_topics(spine, said) == []
    assert in_logs(spine, said) == []
    assert await standing_in_tables(spine, "registration") == [f"{name} in registration.party" for name in NAMES]


async def claim(spine: Spine, application: str, person: str = "registrar-1") -> None:
    waiting = (await get(spine, "/v1/work-items?limit=200", person=person)).json()["items"]
    [item] = [one for one in waiting if one["subject"] == application]
    taken = await post(spine, f"/v1/work-items/{item['id']}/claim", person=person, if_match=item["version"])
    assert taken.status_code == 200


async def test_what_fails_inside_tells_neither_caller_nor_log_whose_form_it_was(spine: Spine, url: str) -> None:
    """PostgreSQL repeats the row that it refuses, in its error's detail."""
    key, body, trace = str(uuid4()), as_json(telling_form()), uuid4().hex
    async with spine.database("registration") as connection:
        await connection.execute("ALTER TABLE party ADD CONSTRAINT nobody CHECK (country <> 'MX') NOT VALID")
        try:
            answer = await send(url + APPLICATIONS, body, key=key, traceparent=f"00-{trace}-{trace[:16]}-01")
        finally:
            await connection.execute("ALTER TABLE party DROP CONSTRAINT nobody")

    assert (answer.status_code, answer.json()["type"]) == (500, "urn:one-window:problem:internal")
    assert trace in answer.json()["detail"], "the reference that leads to the log"
    assert not tell("the answer", answer.content)
    lines = [json.loads(line) for line in spine.service("registration").log.read_text().splitlines()]
    [failed] = [line for line in lines if line["event"] == "a request failed"]
    assert failed["trace_id"] == trace
    assert any("CheckViolation" in line and "23514" in line for line in failed["exception"]), failed["exception"]
    assert any("commands.py" in line for line in failed["exception"]), "the place is told"
    assert in_logs(spine) == []

    again = await send(url + APPLICATIONS, body, key=key)
    assert again.status_code == 201, "nothing was kept of the failure"


async def test_the_servers_own_log_does_not_repeat_a_refused_row(spine: Spine, url: str) -> None:
    with spine.as_environment():
        connection = await connect(open_database(load(Settings, "registration")))
    try:
        assert await connection.fetchval("SHOW log_error_verbosity") == "terse"
    finally:
        await connection.close()


async def test_a_party_can_be_deleted_and_with_it_the_last_trace_of_the_name(spine: Spine, url: str) -> None:
    id = (await submit(spine, telling_form())).json()["id"]
    async with spine.database("registration") as connection:
        await connection.execute("DELETE FROM party")
        kept = await connection.fetchrow("SELECT status, form FROM application WHERE id = $1", id)
    assert kept["status"] == "registered"
    assert len(json.loads(kept["form"])["investor_parties"]) == 2
    assert await standing_in_tables(spine, "registration") == []
