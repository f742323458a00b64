"""Recovery evidence: a rebuild, a restore, a reconciliation and a person's disposition each leave a signed report.

A report is one document in canonical JSON, kept in `recovery_report`, which only grows, and signed with the service's
key. `python -m verify` checks one offline. A service without a key keeps its reports unsigned, and they say so: what
has to be mended after a disaster must not wait for a key.
"""

import getpass
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

import asyncpg
import msgspec

from libs.common import signature
from libs.common.settings import Settings
from libs.common.signature import Keyring, NoSigningKey, NotGenuine

ROOT = Path(__file__).parents[2]
KIND = "recovery-report"
MOST = 200
"""Differences that a report names; `different` counts them all."""

Kind = Literal["rebuild", "restore", "reconcile", "disposition"]
Outcome = Literal["equal", "different", "refused", "mended", "carried_out"]
Verification = Literal[
    "verified", "unsigned", "altered", "malformed", "unknown-key", "revoked-key", "outside-validity", "forged"
]
"""`altered`: the row is not what was signed. The others are the words of NotGenuine."""


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything stood: the next offset of each `topic/partition`, and the business dates that were judged on."""

    positions: dict[str, int] = {}
    dates: dict[str, date] = {}


class Disposed(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decided about one parked event, and why."""

    disposition: str
    source: str
    subject: str
    sequence: int
    event_id: str
    by: str
    why: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`compared`: SHA-256 digests of what was set against each other, by name. `build` is a digest of the program,
    `policy` that of the law it decides by. Times are real times."""

    id: UUID
    kind: Kind
    service: str
    by: str
    began_at: datetime
    ended_at: datetime
    build: str
    policy: str | None = None
    cut: Cut = Cut()
    compared: dict[str, str] = {}
    different: int = 0
    differences: list[str] = []
    dispositions: list[Disposed] = []
    outcome: Outcome
    summary: str = ""


_encode = msgspec.json.Encoder(order="sorted", decimal_format="string").encode
_decode = msgspec.json.Decoder(Report).decode

ADD = "INSERT INTO recovery_report (id, kind, at, document, jws) VALUES ($1, $2, $3, $4, $5)"
LAST = "SELECT document FROM recovery_report WHERE kind = $1 ORDER BY at DESC, id DESC LIMIT 1"


def report(
    kind: Kind, settings: Settings, *, by: str, began_at: datetime, outcome: Outcome, differences: Sequence[str] = (),
    different: int | None = None, **more: Any,
) -> Report:  # fmt: skip
    """A report of what ends now."""
    return Report(
        id=uuid4(), kind=kind, service=settings.service, by=by, began_at=began_at, ended_at=datetime.now(UTC),
        build=build(settings.service), outcome=outcome, differences=list(differences[:MOST]),
        different=len(differences) if different is None else different, **more,
    )  # fmt: skip


async def write(connection: asyncpg.Connection, said: Report, keys: Keyring) -> None:
    """Keep the report, signed where the service has a key; in the caller's transaction where there is one."""
    document = _encode(said)
    try:
        jws = signature.sign(json.loads(document), kind=KIND, keys=keys)
    except NoSigningKey:
        jws = None
    await connection.execute(ADD, said.id, said.kind, said.ended_at, document, jws)


async def write_where_new(connection: asyncpg.Connection, said: Report, keys: Keyring) -> bool:
    """As `write`, unless the last report of this kind was about the very same: a service that refuses to start is
    started again and again."""
    last = await connection.fetchval(LAST, said.kind)
    before = read(last) if last is not None else None
    if before is not None and before.compared == said.compared and before.outcome == said.outcome:
        return False
    await write(connection, said, keys)
    return True


def read(document: bytes) -> Report | None:
    """The report in a row; None where it is no such document any more."""
    try:
        return _decode(document)
    except msgspec.MsgspecError:
        return None


def verify(document: bytes, jws: str | None, keys: Keyring) -> Verification:
    """Whether the row is what the service has signed."""
    if jws is None:
        return "unsigned"
    try:
        found = signature.verify(jws, keys.keys)
    except NotGenuine as refused:
        word: Any = str(refused)
        return word  # type: ignore[no-any-return]
    try:
        same = found.kind == KIND and found.document == json.loads(document)
    except ValueError:
        same = False
    return "verified" if same else "altered"


def digest(lines: Iterable[object]) -> str:
    """SHA-256 over values in the order given, each as canonical JSON on a line of its own."""
    total = hashlib.sha256()
    for line in lines:
        total.update(_encode(line))
        total.update(b"\n")
    return total.hexdigest()


def positions(found: Mapping[tuple[str, int], int]) -> dict[str, int]:
    """Positions as a report names them."""
    return {f"{topic}/{partition}": offset for (topic, partition), offset in sorted(found.items())}


@cache
def build(service: str) -> str:
    """SHA-256 over the program of a service and what it shares with others: the names and bytes of its files."""
    total = hashlib.sha256()
    for folder in ("libs", f"services/{service}"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            total.update(f"{path.relative_to(ROOT)}\0".encode())
            total.update(path.read_bytes())
    return total.hexdigest()


def operator() -> str:
    """Who runs a command on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in many containers
        return f"uid {os.getuid()}"
