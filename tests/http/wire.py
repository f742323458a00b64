"""What the HTTP tests share: a client that sends exactly these bytes, and a look at every row behind a service."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from tests.spine import Spine, bearer

APPLICATIONS = "/v1/applications"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Everything here is plain HTTP over loopback; making a context for each client would cost more than the requests."""


def as_json(value: Any) -> bytes:
    """JSON as a client writes it; what UTF-8 cannot hold (a lone surrogate) is escaped."""
    return json.dumps(value).encode()


def client(base_url: str = "", *, person: str | None = "applicant-1") -> httpx.AsyncClient:
    """A client of one of the demo people; None: of nobody."""
    return httpx.AsyncClient(base_url=base_url, timeout=30, verify=NO_TLS, headers=bearer(person))


async def get(url: str, *, person: str | None = "applicant-1", **headers: str) -> httpx.Response:
    async with client(person=person) as asking:
        return await asking.get(url, headers=headers)


async def send(
    url: str, body: bytes | AsyncIterable[bytes], *, key: str | None = None, language: str = "en",
    content_type: str | None = "application/json", person: str | None = "applicant-1", **headers: str,
) -> httpx.Response:  # fmt: skip
    """POST these bytes, under a key of their own where none is given."""
    named = {"idempotency-key": key or str(uuid4()), "accept-language": language, **headers}
    if content_type is not None:
        named["content-type"] = content_type
    async with client(person=person) as sending:
        return await sending.post(url, content=body, headers=named)


PROGRESS = frozenset({"position", "relay_progress"})
"""How far the loops behind a service have come; no request writes there."""


async def rows(spine: Spine, service: str = "registration") -> dict[str, int]:
    """How many rows each table of a service holds, as far as requests write them."""
    async with spine.database(service) as connection:
        count = " UNION ALL ".join(
            f"SELECT '{name}', count(*) FROM \"{name}\"" for name in await tables(connection) if name not in PROGRESS
        )
        return dict(await connection.fetch(count))


async def tables(connection: asyncpg.Connection) -> list[str]:
    found = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return [row["tablename"] for row in found]


@dataclass(frozen=True, slots=True)
class RawAnswer:
    status: int
    body: bytes

    @property
    def problem(self) -> Any:
        return json.loads(self.body)


async def speak(url: str, *pieces: bytes, within: float = 20) -> RawAnswer:
    """Send these bytes over a connection of its own and read one answer, for requests that no client would make."""
    address = httpx.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        async with asyncio.timeout(within):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else await reader.read()
            return RawAnswer(int(head.split(b" ", 2)[1]), body)
    finally:
        writer.close()
