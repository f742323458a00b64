"""Who is signed in: a random id in the browser, everything else in the lobby's database, sealed with a key that only
this id makes. Tokens never leave the lobby, and whoever reads its table finds none."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet
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
        row = await connection.fetchval(repository.READ_SESSION, hashed(id))
    return Session(id, unsealed(id, row)) if row and "sealed" in row else None


async def begin(request: Request, response: Response, content: Mapping[str, Any]) -> None:
    """A new session under a new id; one that the browser had before is gone."""
    id = secrets.token_urlsafe(32)
    async with reading(running(request).database) as connection:
        if before := request.cookies.get(COOKIE):
            await connection.execute(repository.CLOSE_SESSION, hashed(before))
        await connection.execute(repository.FORGET_SESSIONS)
        await connection.execute(repository.OPEN_SESSION, hashed(id), sealed(id, content))
    response.set_cookie(COOKIE, id, secure=True, httponly=True, samesite="lax", path="/")


async def keep(request: Request, session: Session, more: Mapping[str, Any]) -> None:
    """Add to what the session holds."""
    content = sealed(session.id, {**session.content, **more})
    async with reading(running(request).database) as connection:
        await connection.execute(repository.KEEP_IN_SESSION, hashed(session.id), content)


async def end(request: Request, response: Response) -> None:
    if id := request.cookies.get(COOKIE):
        async with reading(running(request).database) as connection:
            await connection.execute(repository.CLOSE_SESSION, hashed(id))
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="lax", path="/")


async def lives(request: Request, session: Session) -> bool:
    """Whether it has not ended, without keeping it alive: a page left open is no use of it."""
    async with reading(running(request).database) as connection:
        return session.caller is not None and bool(
            await connection.fetchval(repository.SESSION_LIVES, hashed(session.id))
        )


def hashed(id: str) -> bytes:
    """Whoever reads the table cannot become whom it names."""
    return hashlib.sha256(id.encode()).digest()


def sealed(id: str, content: Mapping[str, Any]) -> str:
    """What stands in the row. The id has 256 random bits, so a digest of it is a key."""
    return json.dumps({"sealed": _seal(id).encrypt(json.dumps(content).encode()).decode()})


def unsealed(id: str, row: Mapping[str, str]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(_seal(id).decrypt(row["sealed"]))
    return content


def _seal(id: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"content:" + id.encode()).digest()))
