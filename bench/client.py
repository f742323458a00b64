"""A small HTTP/1.1 client over kept connections: a load generator must cost less than what it measures."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from deploy.local.issuer import token
from services.registration.forms import APPLICATION_EXAMPLE

AS_A_NAME = str.maketrans("0123456789abcdef", "甲乙丙丁戊己庚辛壬癸天地山川日月")


def a_form() -> bytes:
    """The example form under a name of its own."""
    trade = uuid4().hex[:12].translate(AS_A_NAME)
    name = {**APPLICATION_EXAMPLE["enterprise_name"], "trade_name": trade}
    return json.dumps({**APPLICATION_EXAMPLE, "enterprise_name": name}, ensure_ascii=False).encode()


class Refused(Exception):
    """Not now: the service protects itself."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    head: bytes
    body: bytes

    @property
    def retry_after(self) -> int | None:
        _, named, rest = self.head.partition(b"retry-after: ")
        return int(rest.split(b"\r\n", 1)[0]) if named else None


@dataclass(slots=True)
class Client:
    """One connection; one request at a time."""

    port: int
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        """Post a form of its own, or this body, under a fresh key. Raises Refused for 503 and RuntimeError for anything
        else but 201."""
        answer = await self.send(path, body)
        if answer.status == 503:
            raise Refused
        if answer.status != 201:
            raise RuntimeError(f"{answer.status}: {answer.body.decode()[:300]}")
        found: dict[str, Any] = json.loads(answer.body)
        return found

    async def send(
        self, path: str, body: bytes | None = None, *, person: str = "applicant-1", key: str | None = None
    ) -> Answer:
        """Post, and whatever it is answered."""
        body = a_form() if body is None else body
        head = (
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {token(person)}\r\n"
            f"Idempotency-Key: {key or uuid4()}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        answer, content = await self._ask(head.encode() + body)
        return Answer(int(answer.split(b" ", 2)[1]), answer, content)

    async def get(self, path: str, person: str = "regulator-1") -> bytes:
        """What a regulator is shown; raises RuntimeError for anything else but 200."""
        head = (
            f"GET {path} HTTP/1.1\r\nHost: bench\r\nPurpose: supervision_planning\r\n"
            f"Authorization: Bearer {token(person)}\r\n\r\n"
        )
        answer, content = await self._ask(head.encode())
        if not answer.startswith(b"http/1.1 200"):
            raise RuntimeError(f"{answer.split(b' ', 2)[1].decode()}: {content.decode()[:300]}")
        return content

    async def _ask(self, request: bytes) -> tuple[bytes, bytes]:
        try:
            return await self._exchange(request)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.close()  # an idle connection that the server has closed meanwhile
            return await self._exchange(request)

    async def _exchange(self, request: bytes) -> tuple[bytes, bytes]:
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


async def at_rate(port: int, rate: float, seconds: float, ask: Callable[[Client, float], Awaitable[None]]) -> None:
    """Ask at a fixed rate, whatever the answers do (open loop); `ask` is told when each was due to be sent."""
    idle: list[Client] = []
    began = time.perf_counter()

    async def one(due: float) -> None:
        client = idle.pop() if idle else Client(port)
        await ask(client, due)
        idle.append(client)

    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(due))
    for client in idle:
        client.close()
