"""Checks of the audit: a chain that agrees with the heads published of it, and one row for each command.

The rules are those of docs/decisions/0009-audit-chain.md; the chain is worked out here a second time.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from tests.checker.evidence import HEADS, Evidence
from tests.checker.keys import COMMANDS, ask_for, stored_keys
from tests.checker.report import Checked

GENESIS = bytes(32)


def the_audit_is_what_was_published(evidence: Evidence) -> Checked:
    """Edited, deleted, reordered and truncated rows; heads were read before these rows, and follow the rows' commit."""
    violations, looked_at = [], 0
    for service in evidence.target.services:
        tables = evidence.after[service]
        sealed = sorted((row for row in tables["audit"] if row["number"] is not None), key=lambda row: row["number"])
        heads = _published(evidence, service)
        (standing,) = tables["audit_head"]
        looked_at += len(sealed)
        violations += [f"{service}: {fault}" for fault in _faults(sealed, heads, standing)]
    return Checked("I9", "the audit is chained, and is what was published of it", looked_at, tuple(violations))


def _published(evidence: Evidence, service: str) -> dict[int, bytes]:
    """The hash by the count; the first published under a count has the say."""
    heads: dict[int, bytes] = {}
    for record in evidence.outside.get(HEADS, ()):
        if record.key == service.encode():
            said = json.loads(record.value)
            heads.setdefault(said["count"], bytes.fromhex(said["hash"]))
    return heads


def _faults(rows: Iterable[Any], heads: Mapping[int, bytes], standing: Any) -> Iterator[str]:
    """What is wrong with the rows, in the order of their numbers; a broken chain is followed no further."""
    at, head = 0, GENESIS
    for row in rows:
        number, entry, hash = row["number"], bytes(row["entry"]), bytes(row["hash"])
        said = json.loads(entry)
        if number != at + 1:
            if not _is_a_known_loss(said, at + 1, number - 1, heads):
                yield f"no audit row has the number {at + 1}"
                return
            head = heads[number - 1]
        if hashlib.sha256(head + number.to_bytes(8, "big") + entry).digest() != hash:
            yield f"audit row {number} is not what was sealed"
            return
        if (said["actor"], said["object"]) != (row["actor"], row["object"]):
            yield f"audit row {number} is found under what it does not say"
        if heads.get(number, hash) != hash:
            yield f"another chain was published than the one up to audit row {number}"
            return
        at, head = number, hash
    if at < (top := max(heads, default=0)):
        yield f"a head of {top} audit rows was published, they end at {at}"
    if (standing["count"], bytes(standing["hash"])) != (at, head):
        yield f"the audit stands at {standing['count']}, its rows end at {at}"


def _is_a_known_loss(said: dict[str, Any], first: int, last: int, heads: Mapping[int, bytes]) -> bool:
    """After a restore was reconciled: the row itself says which numbers are lost, and events prove the restore."""
    lost = said["action"] == "restored" and (said["lost_from"], said["lost_to"]) == (first, last)
    return lost and said["adopted"] > 0 and heads.get(last, b"").hex() == said["head"]


def each_command_is_audited_once(evidence: Evidence) -> Checked:
    """By whom and on what; a command that somebody was answered, and a key that is kept, have one row each."""
    violations, looked_at = [], 0
    for service in evidence.target.services:
        stored = stored_keys(evidence, service)
        kept = Counter((method, unquote(path), _actor(row["caller"])) for (method, path, _), rows in stored.items()
                       for row in rows)  # fmt: skip
        acknowledged = {ask_for(one) for one in evidence.remembered if one.acknowledged and one.service == service}
        unkept = Counter((method, unquote(path)) for method, path, _ in acknowledged - stored.keys())
        audited = Counter(_audited(evidence.after[service]["audit"]))
        looked_at += kept.total() + unkept.total()
        for method, path, actor in kept - audited:
            violations.append(f"{service}: {method} {path} by {actor} is not in the audit as often as it was done")
        surplus = Counter((method, path) for method, path, _ in (audited - kept).elements())
        for method, path in unkept - surplus:
            violations.append(f"{service}: {method} {path} was answered, and is not in the audit")
        for method, path in surplus - unkept:
            violations.append(f"{service}: {method} {path} is in the audit, and nobody did it")
    return Checked("I9", "each command has one row of the audit", looked_at, tuple(violations))


def _actor(caller: str) -> str | None:
    return None if caller == "anonymous" else caller


def _audited(rows: Iterable[Any]) -> Iterator[tuple[str, str, str | None]]:
    for row in rows:
        said = json.loads(bytes(row["entry"]))
        method = said["action"].partition(" ")[0]
        if method in COMMANDS:
            yield method, unquote(row["object"]), row["actor"]
