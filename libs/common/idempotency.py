"""One effect per Idempotency-Key: the stored answer commits with the effect and is given again for 7 days."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import asyncpg
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.database import raw
from libs.common.problems import Problem

KEY = re.compile(r"[\x21-\x7e]{1,255}")
KEPT_HEADERS = ("content-type", "location", "etag")
LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
STORED = "SELECT body_hash, status, answer, headers FROM idempotency WHERE (caller, route, key) = ($1, $2, $3)"
STORE = """
INSERT INTO idempotency (caller, route, key, body_hash, status, answer, headers) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


class Claim(NamedTuple):
    """Who asks for what, by which key; `body_hash` is the SHA-256 of the raw body."""

    caller: str
    route: str
    key: str
    body_hash: bytes


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str]


def claim_of(caller: str, route: str, keys: Sequence[str], body: bytes) -> Claim:
    """The claim of a request with these Idempotency-Key headers: exactly one is wanted."""
    if not keys:
        raise Problem("idempotency-key-missing", 400)
    if len(keys) > 1 or not KEY.fullmatch(keys[0]):
        raise Problem("idempotency-key-malformed", 400)
    return Claim(caller, route, keys[0], hashlib.sha256(body).digest())


async def answered(session: AsyncSession, claim: Claim) -> Answer | None:
    """The stored answer, or None: then this transaction holds the key until it ends."""
    name = "\n".join(claim[:3])
    if not (await (await session.connection()).execute(LOCK, {"name": name})).scalar():
        raise Problem("idempotency-in-flight", 409, retry_after=1)
    session.info["begun"] = True
    row = await (await raw(session)).fetchrow(STORED, *claim[:3])
    if row is None:
        return None
    if row["body_hash"] != claim.body_hash:
        raise Problem("idempotency-other-body", 422)
    return Answer(row["status"], row["answer"], row["headers"])


async def store(session: AsyncSession, claim: Claim, answer: Answer) -> None:
    """Keep a 2xx answer with the effect; anything else has no effect and may be tried again."""
    kept = {name: value for name, value in answer.headers.items() if name.lower() in KEPT_HEADERS}
    await (await raw(session)).execute(STORE, *claim, answer.status, answer.body, json.dumps(kept))


async def forget_old(connection: asyncpg.Connection) -> None:
    """Keys are kept 7 days of real time."""
    await connection.execute("DELETE FROM idempotency WHERE at < now() - interval '7 days'")
