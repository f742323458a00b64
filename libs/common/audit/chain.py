"""The chain over audit rows, and how it is judged against the heads that were published. Pure.

Each row has a number (1, 2, 3 ...) and a hash over the previous hash, the number and the stored bytes. A head is the
pair (number, hash) after some row; published heads lie outside the database, where its owner cannot change them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec

GENESIS = bytes(32)
"""What stands before the first row."""

RESTORED = "restored"
"""The action of the entry with which a chain goes on after its database was restored to an older state."""


class Head(NamedTuple):
    number: int
    hash: bytes


START = Head(0, GENESIS)


class Row(NamedTuple):
    number: int
    hash: bytes
    entry: bytes
    actor: str | None
    object: str


class Finding(NamedTuple):
    """What is wrong, and the first number for which it is.

    `edited`: the row is not what was sealed under its number (changed, put in or moved). `missing`: no row has the
    number. `rewritten`: the chain is whole, and another than the published one. `truncated`: nothing from here on.
    """

    what: Literal["edited", "missing", "rewritten", "truncated"]
    number: int


class Lost(msgspec.Struct, frozen=True):
    """The `restored` entry: the numbers that went with the older state, and the published head that the chain goes on
    from. `adopted` events of the service's own topic, which the database lacked, prove the restore."""

    action: str
    lost_from: int
    lost_to: int
    head: str
    adopted: int


class _Searched(msgspec.Struct, frozen=True):
    """Kept beside the entry for searching; the entry has the say."""

    actor: str | None
    object: str


_lost = msgspec.json.Decoder(Lost)
_searched = msgspec.json.Decoder(_Searched)


def link(previous: bytes, number: int, entry: bytes) -> bytes:
    """The hash of a row: SHA-256 over the previous hash, the number (8 bytes, big endian) and the stored bytes."""
    return hashlib.sha256(previous + number.to_bytes(8, "big") + entry).digest()


@dataclass(slots=True)
class Walk:
    """A walk along the chain from `at`, row by row in the order of their numbers. `published` maps counts to hashes."""

    published: Mapping[int, bytes]
    at: Head = START
    proved_to: int = 0
    """The last number that a published head confirms."""
    restores: list[Lost] = field(default_factory=list)

    def take(self, row: Row) -> Finding | None:
        """What is wrong with the next row; None when the chain holds up to it."""
        previous, expected = self.at.hash, self.at.number + 1
        if row.number < expected:
            return Finding("edited", row.number)
        if row.number > expected:
            lost = lost_in(row.entry)
            if lost is None or (lost.lost_from, lost.lost_to) != (expected, row.number - 1):
                return Finding("missing", expected)
            previous = bytes.fromhex(lost.head)
            if self.published.get(lost.lost_to, previous) != previous or lost.adopted == 0:
                return Finding("truncated", expected)
            self.restores.append(lost)
        if link(previous, row.number, row.entry) != row.hash or not _is_found_as_it_says(row):
            return Finding("edited", row.number)
        if self.published.get(row.number, row.hash) != row.hash:
            return Finding("rewritten", self.proved_to + 1)
        self.at = Head(row.number, row.hash)
        if row.number in self.published:
            self.proved_to = row.number
        return None


def lost_in(entry: bytes) -> Lost | None:
    """What a `restored` entry says; None for any other."""
    try:
        lost = _lost.decode(entry)
    except msgspec.MsgspecError:
        return None
    return lost if lost.action == RESTORED else None


def _is_found_as_it_says(row: Row) -> bool:
    try:
        said = _searched.decode(row.entry)
    except msgspec.MsgspecError:
        return False
    return (said.actor, said.object) == (row.actor, row.object)
