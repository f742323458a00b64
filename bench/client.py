"""A small HTTP/1.1 client over kept connections: a load generator must cost less than what it measures."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from deploy.local.issuer import token
from services.registration.forms import APPLICATION_EXAMPLE

BODY = json.dumps(APPLICATION_EXAMPLE, ensure_ascii=False).encode()


class Refused(Exception):
    """Not now: the service protects itself."""


@dataclass(slots=True)
class Client:
    """One connection; one request at a time."""

    port: int
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, body: bytes = BODY) -> dict[str, Any]:
        """Post under a fresh key; raises Refused for 503 and RuntimeError for anything else but 201."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {token('applicant-1')}\r\n"
            f"Idempotency-Key: {uuid4()}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            answer, content = await self._ask(head.encode() + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.close()  # an idle connection that the server has closed meanwhile
            answer, content = await self._ask(head.encode() + body)
        if answer.startswith(b"http/1.1 503"):
            raise Refused
        if not answer.startswith(b"http/1.1 201"):
            raise RuntimeError(f"{answer.split(b' ', 2)[1].decode()}: {content.decode()[:300]}")
        found: dict[str, Any] = json.loads(content)
        return found

    async def _ask(self, request: bytes) -> tuple[bytes, bytes]:
        if self.reader is None or self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(request)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        return answer, await self.reader.readexactly(length)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None
