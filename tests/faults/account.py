"""The account after a fault: clients that fill forms meanwhile, and what the topics and databases hold afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx

from deploy.local.issuer import token
from tests.checker.check import check
from tests.checker.commands import Attempt, digest
from tests.checker.evidence import Target
from tests.checker.report import Report
from tests.faults.topics import records
from tests.spine import Spine, change, eventually, submit

AREAS = ("310106013", "310106014")


class Told(NamedTuple):
    """A record of a topic."""

    subject: str
    sequence: int
    id: UUID
    type: str
    data: dict[str, Any]


async def told(spine: Spine, service: str = "registration") -> list[Told]:
    """Every record of a service's topic up to its present end, each partition in its order."""
    return [_read(record) for record in await records(spine, f"{service}.events")]


def _read(record: Any) -> Told:
    attributes = {name: value.decode() for name, value in record.headers}
    return Told(
        attributes["ce_subject"], int(attributes["ce_subjectsequence"]), UUID(attributes["ce_id"]),
        attributes["ce_type"], json.loads(record.value),
    )  # fmt: skip


def histories(said: Iterable[Told]) -> dict[str, list[Told]]:
    """Each subject's events as a reader takes them: sequences 1, 2, 3 ...; one told again must be the very same."""
    found: dict[str, list[Told]] = {}
    for record in said:
        history = found.setdefault(record.subject, [])
        if record.sequence <= len(history):
            assert record.id == history[record.sequence - 1].id, f"a fork: {record}"
        else:
            assert record.sequence == len(history) + 1, f"a gap before {record}"
            history.append(record)
    return found


def told_again(said: Sequence[Told]) -> int:
    """How many records repeat an earlier one."""
    return len(said) - len({record.id for record in said})


def events_of(answers: Iterable[httpx.Response]) -> int:
    """How many events these answers stand for: a form that is accepted says three (submitted, registered, decided), a
    change one."""
    return sum(3 if answer.request.url.path == "/v1/applications" else 1 for answer in answers)


async def serve_forms(spine: Spine, count: int, *, changes: int = 0, apart: float = 0.0) -> list[httpx.Response]:
    """`count` clients at once, each with a form and then some changes of address; every act has a key of its own, and
    is tried again until it is answered. Returns the answers. `apart`: seconds between the starts of two clients."""

    async def client(number: int) -> list[httpx.Response]:
        await asyncio.sleep(number * apart)
        answers = [await submit(spine, key=str(uuid4()))]
        for at in range(changes):
            uscc = answers[0].json()["uscc"]
            answers.append(await change(spine, uscc, {"area": AREAS[at % 2]}, key=str(uuid4())))
        return answers

    served = [answer for answers in await asyncio.gather(*map(client, range(count))) for answer in answers]
    assert {answer.status_code for answer in served} == {201}
    return served


async def caught_up(spine: Spine) -> bool:
    """Whether risk has taken everything that registration's counters count."""
    async with spine.database("registration") as connection:
        said = await connection.fetch("SELECT subject, sequence FROM outbox_counter ORDER BY subject")
    async with spine.database("risk") as connection:
        taken = await connection.fetch(
            "SELECT subject, sequence FROM mark WHERE source = '/jingan/registration' ORDER BY subject"
        )
    return [tuple(row) for row in said] == [tuple(row) for row in taken]


async def take_account(spine: Spine, answers: Sequence[httpx.Response] = ()) -> dict[str, list[Told]]:
    """Wait until risk has everything; then nothing may be lost, double, out of order or parked, and the outside checker
    finds every invariant to hold. `answers`: what clients were told. Returns what registration said, by subject."""
    await eventually(lambda: caught_up(spine))
    await spine.quiet()
    report = await checked(spine, answers)
    assert report.violations == ()
    async with spine.database("risk") as connection:
        assert await connection.fetchval("SELECT count(*) FROM parked") == 0
    return histories(await told(spine))


async def checked(spine: Spine, answers: Sequence[httpx.Response] = ()) -> Report:
    """What the outside checker says."""
    target = Target(
        spine.stack.bootstrap_servers, spine.stack.database_url, spine.namespace,
        urls={"risk": spine.service("risk").url}, tokens={"risk": token("auditor-1")},
    )  # fmt: skip
    return await check(target, [_attempt(answer) for answer in answers])


def _attempt(answer: httpx.Response) -> Attempt:
    asked = answer.request
    key = asked.headers["idempotency-key"]
    return Attempt(asked.url.path, key, digest(asked.content), answer.status_code, answer.text)
