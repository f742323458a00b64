"""The topic `audit.heads`: what the chains of all services have come to, out of reach of their databases' owners."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from libs.common import kafka
from libs.common.audit.chain import Head
from libs.common.settings import Settings

TOPIC = "audit.heads"
TAIL = 5_000
"""Records of a partition that are looked through first; services that share it publish a head a second at most."""


class Published(msgspec.Struct, frozen=True):
    """A record's value. Its key is the service."""

    service: str
    count: int
    hash: str
    at: datetime

    @property
    def head(self) -> Head:
        return Head(self.count, bytes.fromhex(self.hash))


decode = msgspec.json.Decoder(Published).decode
encode = msgspec.json.Encoder().encode


async def last(settings: Settings) -> Head | None:
    """The head with the greatest count that this service has published; None before the first."""
    heads = await published(settings, last=TAIL) or await published(settings)
    return max((Head(number, hash) for number, hash in heads.items()), default=None)


async def published(settings: Settings, *, last: int | None = None) -> dict[int, bytes]:
    """The heads of this service: hash by count. The first that was published under a count has the say."""
    found: dict[int, bytes] = {}
    async for record in kafka.records(settings, settings.topic(TOPIC), last=last, only=settings.service):
        for head in _read(record, settings.service):
            found.setdefault(head.number, head.hash)
    return found


def _read(record: Any, service: str) -> Iterator[Head]:
    """The head in a record, where it is one of this service."""
    if record.key == service.encode():
        try:
            yield decode(record.value or b"").head
        except (msgspec.MsgspecError, ValueError):
            return
