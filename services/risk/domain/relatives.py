"""What an enterprise's relatives say of it: those behind whom the same party stands, and those at the same address.

A signal is a function of the ties and burdens of enterprises, never of another signal, so that there are no chains and
no echo. `signals` is the whole of it at once; `use_cases.relatives` works out the part that an event can have changed.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.risk.domain.facts import ERASURE, FACT_ROWS, Fact, live_facts

ADDRESS = "address"  # the role of an address; every other role is a party's
NOBODY = UUID(int=0)  # from here on nobody known has this role
DENSITY = "shared_address_density"
DOMICILE = "domicile"


class Tie(NamedTuple):
    """A party (`object`, an opaque id) stands behind an enterprise in a role, or an enterprise is at an address.
    `sequence` is that of the event: what it says of a role replaces all that earlier ones said of it."""

    uscc: str
    role: str
    object: UUID
    sequence: int
    since: date


@dataclass(frozen=True, slots=True)
class Bearing:
    """An enterprise in which a party has one of `roles` is given `indicator` while `because` is a fact of another one
    in which the same party has one of `other_roles`."""

    indicator: str
    roles: frozenset[str]
    other_roles: frozenset[str]
    because: str


class Key(NamedTuple):
    """What a signal is about: the enterprise that gets it, and the other one by its code (or its domicile)."""

    uscc: str
    indicator: str
    record: str


class Worth(NamedTuple):
    """How much of it there is, never 0, and since which legal date."""

    value: int
    since: date


Signals = dict[Key, Worth]
Burdens = Mapping[str, Mapping[str, date]]
"""By enterprise: the facts that bear on its relatives, each with the newest legal date on which it came to hold."""


def newest_ties(stated: Iterable[Tie]) -> set[Tie]:
    """What the greatest sequence says of each role of each enterprise. A function of the set, as `live_facts` is."""
    given = set(stated)
    newest: dict[tuple[str, str], int] = {}
    for tie in given:
        newest[tie.uscc, tie.role] = max(tie.sequence, newest.get((tie.uscc, tie.role), tie.sequence))
    return {tie for tie in given if tie.sequence == newest[tie.uscc, tie.role]}


def standing_ties(stated: Iterable[Tie]) -> set[Tie]:
    """The ties that hold."""
    return {tie for tie in newest_ties(stated) if tie.object != NOBODY}


def burdens_of(facts: Iterable[Fact], bearings: Iterable[Bearing]) -> dict[str, date]:
    """What burdens the relatives of the enterprise whose facts these are."""
    bearing = {one.because for one in bearings}
    found: dict[str, date] = {}
    for fact in live_facts(facts):
        if fact.indicator in bearing and fact.value is not None and fact.value > 0:
            found[fact.indicator] = max(fact.legal_date, found.get(fact.indicator, fact.legal_date))
    return found


def laying_or_lifting(bearings: Iterable[Bearing]) -> frozenset[str]:
    """The indicators whose facts can change a burden: those that bear, erasures, and those that may replace one in its
    record, as a corrected inspection does."""
    bearing = {one.because for one in bearings}
    records = {row.record for row in FACT_ROWS if row.indicator in bearing}
    return frozenset({ERASURE, *(row.indicator for row in FACT_ROWS if row.record in records)})


def of_parties(ties: Iterable[Tie], burdens: Burdens, bearings: Collection[Bearing]) -> Signals:
    """What burdened enterprises bring upon those behind whom the same party stands: one signal for each of them,
    however many parties they share; of several dates the newest."""
    by_party: defaultdict[UUID, set[tuple[str, str]]] = defaultdict(set)
    for tie in ties:
        if tie.role != ADDRESS:
            by_party[tie.object].add((tie.uscc, tie.role))
    found: Signals = {}
    for behind in by_party.values():
        for other, other_role in (one for one in behind if burdens.get(one[0])):
            counting = [one for one in bearings if other_role in one.other_roles and one.because in burdens[other]]
            for uscc, role in behind:
                for bearing in counting:
                    if uscc != other and role in bearing.roles:
                        key, since = Key(uscc, bearing.indicator, other), burdens[other][bearing.because]
                        found[key] = Worth(1, max(since, found[key].since if key in found else since))
    return found


def density(enterprises: int, thresholds: Sequence[int]) -> int:
    """The highest threshold that so many enterprises at one address reach; 0 below all of them."""
    return max((threshold for threshold in thresholds if threshold <= enterprises), default=0)


def of_addresses(ties: Iterable[Tie], enterprises: Mapping[UUID, int], thresholds: Sequence[int]) -> Signals:
    """How many share the address of an enterprise, as the threshold that they reach, since it has been there."""
    return {
        Key(tie.uscc, DENSITY, DOMICILE): Worth(reached, tie.since)
        for tie in ties
        if tie.role == ADDRESS and (reached := density(enterprises[tie.object], thresholds))
    }


def signals(
    stated: Iterable[Tie], facts: Mapping[str, Iterable[Fact]], bearings: Collection[Bearing], thresholds: Sequence[int]
) -> Signals:
    """All signals that these ties and facts (by enterprise) amount to, whatever order they came in."""
    ties = standing_ties(stated)
    burdens = {uscc: found for uscc, its in facts.items() if (found := burdens_of(its, bearings))}
    enterprises = Counter(tie.object for tie in ties if tie.role == ADDRESS)
    return {**of_parties(ties, burdens, bearings), **of_addresses(ties, enterprises, thresholds)}
