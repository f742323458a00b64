"""A proxy in front of a server that cuts a connection at a chosen message, before or after the server has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

Address = Path | tuple[str, int]
"""A unix socket, or host and port."""


@dataclass(slots=True, eq=False)
class Cut:
    """Where to cut: at `message` on a connection on which `after` was sent before; when the server has answered the
    message (`delivered`), or before the server has it. Each is looked for in what the client sends in one piece."""

    message: bytes
    after: bytes
    delivered: bool
    done: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Proxy:
    """Listens on loopback at `port` and passes everything on to `server`."""

    server: Address
    port: int = 0
    cuts: list[Cut] = field(default_factory=list)
    open_ends: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut_at(self, message: bytes, *, after: bytes, delivered: bool) -> Cut:
        """Cut one connection, the first that comes to the place."""
        self.cuts.append(Cut(message, after, delivered))
        return self.cuts[-1]

    async def connected(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Serve one client until it, the server or a cut ends the connection."""
        if isinstance(self.server, Path):
            server, to_server = await asyncio.open_unix_connection(self.server)
        else:
            server, to_server = await asyncio.open_connection(*self.server)
        ends = {to_client, to_server}
        self.open_ends |= ends
        reached: list[Cut] = []
        ways = [self._forward(client, to_server, reached), self._backward(server, to_client, reached)]
        tasks = {asyncio.ensure_future(way) for way in ways}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.transport.abort()
        await asyncio.wait(tasks)
        self.open_ends -= ends
        for cut in reached:
            cut.done.set()

    async def _forward(self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter, reached: list[Cut]) -> None:
        near: list[Cut] = []
        with suppress(ConnectionError):
            while chunk := await client.read(1 << 16):
                near += [cut for cut in self.cuts if cut.after in chunk]
                if cut := next((cut for cut in near if cut in self.cuts and cut.message in chunk), None):
                    self.cuts.remove(cut)
                    reached.append(cut)
                    if not cut.delivered:
                        return
                to_server.write(chunk)

    async def _backward(
        self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter, reached: list[Cut]
    ) -> None:
        with suppress(ConnectionError):
            while (chunk := await server.read(1 << 16)) and not reached:
                to_client.write(chunk)


@asynccontextmanager
async def in_front_of(server: Address) -> AsyncIterator[Proxy]:
    """A proxy that runs in this event loop: what blocks the loop, blocks it."""
    proxy = Proxy(server)
    listening = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listening.close()
        for end in proxy.open_ends:
            end.transport.abort()
