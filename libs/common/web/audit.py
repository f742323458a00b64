"""The audit of a service over HTTP: what it holds, and whether it is what was published of it."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from aiokafka.errors import KafkaError
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from libs.common.audit import verification
from libs.common.identity import Caller
from libs.common.problems import Problem
from libs.common.relay.restored import lost_events
from libs.common.web.commands import Reading, TheLanguage, router
from libs.common.web.cursors import Cursor, Limit, after, page
from libs.common.web.rights import allowed
from libs.common.web.running import running

NEWEST = 5_000
"""Rows that a check over HTTP looks at; the command checks all."""

ID = "^[!-~]{1,200}$"
Auditor = Annotated[Caller, allowed("auditor")]
AuditorOrOperator = Annotated[Caller, allowed("auditor", "operator")]
Subject = Annotated[
    str | None,
    Query(pattern=ID, examples=["91310106MA0000015B"], description="an id within the object's path"),
]
Actor = Annotated[str | None, Query(pattern=ID, examples=["registrar-1"])]

ENTRY: dict[str, Any] = {
    "id": 7, "number": 7, "hash": "9f2c…", "actor": "registrar-1", "roles": ["registrar"],
    "action": "POST /v1/applications/{application_id}/decision",
    "object": "/v1/applications/6105cc38-1855-416d-a878-494a36227cef/decision",
    "at": "2026-01-06T02:00:00+00:00", "trace": "4bf92f3577b34da6a3ce929d0e0e4736", "details": {"status": 200},
}  # fmt: skip
CHECKED: dict[str, Any] = {
    "service": "registration", "verdict": "intact", "what": None, "first": None, "checked_from": 1, "checked_to": 41,
    "published_to": 41, "proved_to": 41, "unsealed": 0, "lost_events": 0, "restores": [],
    "sentence": "The audit is what was published of it.",
}  # fmt: skip


class EntryView(BaseModel):
    """Who did what to which object. `number` and `hash` are its place in the chain, a second after it was written."""

    id: int
    number: int | None
    hash: str | None
    actor: str | None
    roles: list[str]
    action: str
    object: str
    at: datetime
    trace: str | None
    details: dict[str, int | str]


class EntriesView(BaseModel):
    """The newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [ENTRY], "next": None}]})

    items: list[EntryView]
    next: str | None


class RestoreView(BaseModel):
    """Numbers that went with an older state of the database, as the chain itself says."""

    lost_from: int
    lost_to: int


class VerificationView(BaseModel):
    """What a check of the newest rows has found. `first`: the first number that does not hold; `proved_to`: the last
    that a published head confirms; `lost_events`: events of the service's own topic that its database does not know."""

    model_config = ConfigDict(json_schema_extra={"examples": [CHECKED]})

    service: str
    verdict: Literal["intact", "tampered", "restored"]
    what: Literal["edited", "missing", "rewritten", "truncated"] | None
    first: int | None
    checked_from: int
    checked_to: int
    published_to: int
    proved_to: int
    unsealed: int
    lost_events: int
    restores: list[RestoreView]
    sentence: str


def audit() -> APIRouter:
    routes = router()

    @routes.get("/audit", tags=["audit"])
    async def read_audit(
        _: Auditor, reading: Reading, subject: Subject = None, actor: Actor = None, cursor: Cursor = None,
        limit: Limit = 50,
    ) -> EntriesView:  # fmt: skip
        """Who did what, and who looked at what; the newest first."""
        given = {
            "string_to_array(object, '/') @> ARRAY[{}]": subject,
            "actor = {}": actor,
            "id < {}": (after(cursor, _row_id) or (None,))[0],
        }
        wanted = {clause: value for clause, value in given.items() if value is not None}
        where = " AND ".join(clause.format(f"${n}") for n, clause in enumerate(wanted, 1)) or "true"
        rows = await reading.fetch(
            f"SELECT id, number, hash, entry FROM audit WHERE {where} ORDER BY id DESC LIMIT {limit + 1}",
            *wanted.values(),
        )
        shown, more = page(rows, limit, lambda row: [row["id"]])
        return EntriesView(items=[_view(row) for row in shown], next=more)

    @routes.get("/audit/verification", tags=["audit"])
    async def verify_audit(request: Request, _: AuditorOrOperator, language: TheLanguage) -> VerificationView:
        """Check the newest rows of the audit against the heads that were published of it."""
        run = running(request)
        database, settings = run.database, run.settings
        try:
            found = await verification.verify(database, settings, lambda: lost_events(database, settings), last=NEWEST)
        except (KafkaError, TimeoutError) as error:
            raise Problem("unavailable", 503, retry_after=1) from error
        return VerificationView(**msgspec.to_builtins(found), sentence=found.sentence(language))

    return routes


def _row_id(text: str) -> int:
    if not 0 < (id := int(text)) < 2**63:
        raise ValueError("no id of a row")
    return id


def _view(row: Any) -> EntryView:
    said = msgspec.json.decode(row["entry"])
    known = {name: said.pop(name) for name in ("actor", "roles", "action", "object", "at", "trace")}
    return EntryView(
        id=row["id"], number=row["number"], hash=row["hash"] and row["hash"].hex(), **known, details=said
    )  # fmt: skip
