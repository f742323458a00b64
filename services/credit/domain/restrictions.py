"""What the law attaches to the records and listings that stand. No measure is invented: restrictions.csv has all."""

from collections.abc import Iterable
from typing import NamedTuple

from services.credit.domain.policy import Policy, Restriction


class Restrictions(NamedTuple):
    """All restrictions of an enterprise and the grounds that bring them, both sorted."""

    measures: tuple[Restriction, ...]
    grounds: tuple[str, ...]


def restrictions(standing: Iterable[str], law: Policy) -> Restrictions:
    """A function of the set of grounds on which records and listings stand: neither order nor number matters."""
    measures: set[Restriction] = set()
    grounds: set[str] = set()
    for code in standing:
        attached = [row.restriction for row in law.measures if row.list == law.grounds[code].list]
        measures.update(attached)
        grounds.update([code] if attached else [])
    return Restrictions(tuple(sorted(measures)), tuple(sorted(grounds)))
