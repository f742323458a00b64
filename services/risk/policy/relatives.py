"""When others bear on an enterprise: relatives.csv over shared parties, address_density.csv over shared addresses."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

from libs.common.policy import PolicyError, read_table, unique
from services.risk.domain import ERASURE, PRODUCED, RELATED
from services.risk.domain.relatives import Bearing

FOLDER = Path(__file__).parent

Role = Literal["investor", "legal_representative", "actual_controller"]
Confidence = Literal["verified", "memory", "doubtful", "setting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BearingRow:
    """While `because` is a fact of an enterprise in which a party has one of `other_roles`, every other one in which
    the same party has one of `roles` is given `indicator`."""

    indicator: Literal["related_serious_list", "legal_representative_risk", "actual_controller_risk"]
    roles: tuple[Role, ...]
    other_roles: tuple[Role, ...]
    because: str
    valid_from: date
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class DensityRow:
    """So many enterprises at one address are told of it; in between the signal stays as it is."""

    enterprises: int
    valid_from: date
    source: str
    confidence: Confidence


def load_bearings(path: Path = FOLDER / "relatives.csv") -> tuple[Bearing, ...]:
    """Raises PolicyError (file, line, reason) for what no event states, and for a signal derived from a signal."""
    rows = read_table(path, BearingRow, required=("roles", "other_roles", "because", "source"))
    unique(rows, lambda row: (row.indicator, row.because))
    rows.require(lambda row: row.because in PRODUCED - {ERASURE}, "{because}: no event states it")
    rows.require(lambda row: row.because not in RELATED, "{because}: a signal is never derived from a signal")
    return tuple(Bearing(row.indicator, frozenset(row.roles), frozenset(row.other_roles), row.because) for row in rows)


def load_thresholds(path: Path = FOLDER / "address_density.csv") -> tuple[int, ...]:
    """Raises PolicyError (file, line, reason) where they do not rise, or begin with fewer than two."""
    rows = read_table(path, DensityRow)
    rows.require(lambda row: row.enterprises > 1, "one enterprise shares its address with nobody")
    for number, (row, after) in enumerate(pairwise(rows)):
        if after.enterprises <= row.enterprises:
            raise rows.error(number + 1, f"{after.enterprises} does not lie above {row.enterprises}")
    if not rows.rows:
        raise PolicyError(path, 1, "no threshold")
    return tuple(row.enterprises for row in rows)


@cache
def bearings() -> tuple[Bearing, ...]:
    return load_bearings()


@cache
def thresholds() -> tuple[int, ...]:
    return load_thresholds()
