"""A proxy in front of a server: it passes everything on, until a test cuts a connection at a chosen message or holds
that message up, holds back one direction or both, or ends all that goes through it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

Address = Path | tuple[str, int]
"""A unix socket, or host and port."""

COMMIT = b"Q\x00\x00\x00\x0cCOMMIT;\x00"
"""The message of PostgreSQL's protocol by which a transaction of a service commits."""


@dataclass(slots=True, eq=False)
class Cut:
    """Where to cut: at `message` on a connection on which `after` was sent before; when the server has answered the
    message (`delivered`), or before the server has it. Each is looked for in what the client sends in one piece.

    `late`: nothing is cut, but the server has the message only so many seconds later."""

    message: bytes
    after: bytes
    delivered: bool
    late: float = 0.0
    done: asyncio.Event = field(default_factory=asyncio.Event)


def _open() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate


@dataclass(slots=True)
class Proxy:
    """Listens on loopback at `port` and passes everything on to `server`.

    `there` and `back` are the two directions: while one is cleared, nothing passes that way and nothing is refused, as
    in a partition of a network; what was sent meanwhile arrives when it is set again.
    """

    server: Address
    port: int = 0
    cuts: list[Cut] = field(default_factory=list)
    open_ends: set[asyncio.StreamWriter] = field(default_factory=set)
    there: asyncio.Event = field(default_factory=_open)
    back: asyncio.Event = field(default_factory=_open)

    def cut_at(self, message: bytes, *, after: bytes, delivered: bool) -> Cut:
        """Cut one connection, the first that comes to the place."""
        self.cuts.append(Cut(message, after, delivered))
        return self.cuts[-1]

    def delay(self, message: bytes, seconds: float) -> Cut:
        """Hold one message up, the first that comes; what other connections send overtakes it."""
        self.cuts.append(Cut(message, b"", delivered=True, late=seconds))
        return self.cuts[-1]

    def cut_all(self) -> int:
        """Reset every connection; how many there were."""
        ends = list(self.open_ends)
        for end in ends:
            end.transport.abort()
        return len(ends) // 2

    async def connected(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Serve one client until it, the server or a cut ends the connection."""
        try:
            if isinstance(self.server, Path):
                server, to_server = await asyncio.open_unix_connection(self.server)
            else:
                server, to_server = await asyncio.open_connection(*self.server)
        except OSError:  # there is no server: the client learns it as it would without us
            to_client.transport.abort()
            return
        ends = {to_client, to_server}
        self.open_ends |= ends
        reached: list[Cut] = []
        ways = [self._forward(client, to_server, reached), self._backward(server, to_client, reached)]
        tasks = {asyncio.ensure_future(way) for way in ways}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.transport.abort()
        for task in tasks:
            task.cancel()  # it may stand before a closed gate
        await asyncio.wait(tasks)
        self.open_ends -= ends
        for cut in reached:
            cut.done.set()

    async def _forward(self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter, reached: list[Cut]) -> None:
        near: list[Cut] = []
        with suppress(ConnectionError):
            while chunk := await client.read(1 << 16):
                await self.there.wait()
                near += [cut for cut in self.cuts if cut.after in chunk]
                if cut := next((cut for cut in near if cut in self.cuts and cut.message in chunk), None):
                    self.cuts.remove(cut)
                    if cut.late:
                        await asyncio.sleep(cut.late)
                        cut.done.set()
                    else:
                        reached.append(cut)
                    if not cut.delivered:
                        return
                to_server.write(chunk)

    async def _backward(
        self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter, reached: list[Cut]
    ) -> None:
        with suppress(ConnectionError):
            while (chunk := await server.read(1 << 16)) and not reached:
                await self.back.wait()
                to_client.write(chunk)


@asynccontextmanager
async def in_front_of(server: Address, port: int = 0) -> AsyncIterator[Proxy]:
    """A proxy that runs in this event loop: what blocks the loop, blocks it. `port`: any free one, if not given."""
    proxy = Proxy(server)
    listening = await asyncio.start_server(proxy.connected, "127.0.0.1", port)
    proxy.port = listening.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listening.close()
        proxy.cut_all()
