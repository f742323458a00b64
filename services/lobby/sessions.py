"""Who is signed in: a random id in the browser, everything else in the lobby's database. Tokens never leave it."""

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from libs.common.database import reading
from libs.common.identity import Caller
from libs.common.web.running import running
from services.lobby import repository

COOKIE = "__Host-session"
"""The prefix makes browsers insist on Secure, on the whole host and on no other; loopback counts as secure."""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser's session. `content`: before sign-in what the answer is checked against, then who it is."""

    id: str
    content: Mapping[str, Any]

    @property
    def caller(self) -> Caller | None:
        """Who is signed in, until the access token ends."""
        if "subject" not in self.content or self.content["expires_at"] < time.time():
            return None
        return Caller(self.content["subject"], frozenset(self.content["roles"]), self.content["department"])

    @property
    def form_token(self) -> str:
        """What a form of this session carries. It tells nothing of the id that it is made from."""
        return hashlib.sha256(b"form:" + self.id.encode()).hexdigest()

    @property
    def access_token(self) -> str:
        return str(self.content["access_token"])


async def of(request: Request) -> Session | None:
    """The session that the browser names, if it is not older than 30 idle minutes. Reading it keeps it alive."""
    if not (id := request.cookies.get(COOKIE)):
        return None
    async with reading(running(request).database) as connection:
        content = await connection.fetchval(repository.READ_SESSION, _hash(id))
    return None if content is None else Session(id, content)


async def begin(request: Request, response: Response, content: Mapping[str, Any]) -> None:
    """A new session under a new id; one that the browser had before is gone."""
    id = secrets.token_urlsafe(32)
    async with reading(running(request).database) as connection:
        if before := request.cookies.get(COOKIE):
            await connection.execute(repository.CLOSE_SESSION, _hash(before))
        await connection.execute(repository.FORGET_SESSIONS)
        await connection.execute(repository.OPEN_SESSION, _hash(id), json.dumps(content))
    response.set_cookie(COOKIE, id, secure=True, httponly=True, samesite="lax", path="/")


async def keep(request: Request, session: Session, more: Mapping[str, Any]) -> None:
    """Add to what the session holds."""
    async with reading(running(request).database) as connection:
        await connection.execute(repository.KEEP_IN_SESSION, _hash(session.id), json.dumps(more))


async def end(request: Request, response: Response) -> None:
    if id := request.cookies.get(COOKIE):
        async with reading(running(request).database) as connection:
            await connection.execute(repository.CLOSE_SESSION, _hash(id))
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="lax", path="/")


async def lives(request: Request, session: Session) -> bool:
    """Whether it has not ended, without keeping it alive: a page left open is no use of it."""
    async with reading(running(request).database) as connection:
        return session.caller is not None and bool(
            await connection.fetchval(repository.SESSION_LIVES, _hash(session.id))
        )


def _hash(id: str) -> bytes:
    """Whoever reads the table cannot become whom it names."""
    return hashlib.sha256(id.encode()).digest()
