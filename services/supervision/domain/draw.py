"""The double draw (双随机): objects by class, inspectors by object; a pure function of the plan, libraries and a seed.

Nobody chooses. The seed is committed to when the plan is filed; the list of objects is fixed later, on the day of the
draw, and the order comes from both together. See docs/decisions/0013-draws.md.
"""

import hmac
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

from services.supervision.domain.policy import CLASSES, RiskClass

INSPECTORS_PER_VISIT = 2
WHOLE = 10_000
"""Ratios are counted in hundredths of a percent, so that no part of a stratum is ever rounded twice."""


@dataclass(frozen=True, slots=True)
class Inspector:
    """Somebody who may be sent. `conflicts`: enterprises that he must not inspect."""

    account: str
    department: str
    conflicts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Stratum:
    """One class: how many stand in it, the ratio in percent, who was drawn."""

    risk_class: RiskClass
    size: int
    ratio: Decimal
    drawn: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """One object with its inspectors, lead first by the order of the draw; both draws together."""

    uscc: str
    inspectors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draw:
    """What came out. `library_digest` is that of the list of objects, which is public; classes are not in it."""

    library_digest: str
    strata: tuple[Stratum, ...]
    visits: tuple[Visit, ...]


class TooFewInspectors(Exception):
    """For some visit there are not enough inspectors of the right department without a conflict of interest."""

    def __init__(self, departments: Sequence[str], needed: int, found: int) -> None:
        super().__init__(f"{', '.join(departments)}: {needed} needed, {found} found")
        self.departments, self.needed, self.found = tuple(departments), needed, found


def commitment(seed: bytes, task_id: UUID) -> str:
    """SHA-256(seed || task id), in hexadecimal: published when the plan is filed, long before the seed is used."""
    return sha256(seed + task_id.bytes).hexdigest()


def library_digest(usccs: Iterable[str]) -> str:
    """SHA-256 of the identifiers, sorted, one a line."""
    return sha256("".join(f"{uscc}\n" for uscc in sorted(usccs)).encode()).hexdigest()


def quota(size: int, ratio: Decimal) -> int:
    """How many of `size` are drawn at `ratio` percent: rounded up, so that a ratio above zero draws at least one."""
    parts = int(ratio * 100) * size
    return -(-parts // WHOLE)


def draw(
    objects: Mapping[str, RiskClass],
    ratios: Mapping[RiskClass, Decimal],
    inspectors: Sequence[Inspector],
    departments: Sequence[str],
    *,
    seed: bytes,
    task_id: UUID,
    on: date,
) -> Draw:
    """Draw objects (USCC -> class) at each class's ratio, and for each of them its inspectors.

    Within a class the objects stand in the order of HMAC-SHA256(key, USCC), and the first of them are taken: every
    object of a class has the same chance. The key is HMAC-SHA256(seed, task id, planned day, digest of the list).
    Raises TooFewInspectors.
    Source: 国发〔2019〕5号; Business Environment Regulations (Order 722) Art 54.
    """
    digest = library_digest(objects)
    key = _hmac(seed, f"{task_id}\n{on.isoformat()}\n{digest}")
    strata = []
    for risk_class in CLASSES:
        members = sorted((uscc for uscc, of in objects.items() if of == risk_class), key=lambda uscc: _hmac(key, uscc))
        taken = members[: quota(len(members), ratios[risk_class])]
        strata.append(Stratum(risk_class, len(members), ratios[risk_class], tuple(sorted(taken))))
    drawn = sorted(uscc for stratum in strata for uscc in stratum.drawn)
    return Draw(digest, tuple(strata), send(drawn, inspectors, departments, key=key))


def send(
    objects: Sequence[str], inspectors: Sequence[Inspector], departments: Sequence[str], *, key: bytes,
    joined: bool = False,
) -> tuple[Visit, ...]:  # fmt: skip
    """Inspectors for each object, in the order given: one of every department concerned, two at least in all.

    Of those without a conflict who have the fewest visits so far, the order of HMAC-SHA256(key, USCC, account) decides.
    `joined`: where the departments concerned have nobody left, another one's inspector makes the second.
    Raises TooFewInspectors. Source: at least two to a visit (Administrative Penalty Law practice; from memory).
    """
    load: Counter[str] = Counter()
    visits = []
    for uscc in objects:
        free = sorted(
            (one for one in inspectors if uscc not in one.conflicts),
            key=lambda one: (load[one.account], _hmac(key, f"{uscc}\n{one.account}")),
        )
        team: list[Inspector] = []
        for department in departments:
            team += [one for one in free if one.department == department][:1]
        if len(team) < len(departments):
            raise TooFewInspectors(departments, max(INSPECTORS_PER_VISIT, len(departments)), len(team))
        spare = [one for one in free if one not in team and one.department in departments]
        spare += [one for one in free if joined and one.department not in departments]
        team += spare[: max(0, INSPECTORS_PER_VISIT - len(team))]
        if len(team) < INSPECTORS_PER_VISIT:
            raise TooFewInspectors(departments, INSPECTORS_PER_VISIT, len(team))
        load.update(one.account for one in team)
        visits.append(Visit(uscc, tuple(one.account for one in team)))
    return tuple(visits)


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
