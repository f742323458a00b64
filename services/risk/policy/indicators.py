"""The indicators of policy/indicators.csv: what each means, which fact states it, and how people set it right."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from libs.common.policy import read_table, unique

FOLDER = Path(__file__).parent

Dimension = Literal["basic_attributes", "dynamics", "supervision", "related_parties", "social_evaluation"]
Direction = Literal[
    "lower_risk_when_high", "higher_risk_when_high", "lower_risk_when_true", "higher_risk_when_true", "categorical",
    "informational",
]  # fmt: skip
Mend = Literal["raise_capital", "end_listing", "repair", "be_reached", "correct", "move"]
Confidence = Literal["verified", "memory", "doubtful", "setting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One row. `weight` is the published or proposed one, on the scale its source names; `fact` the indicator under
    which facts state it (None: no producer, shown as missing); `mend` how people set it right (None: only time does,
    or nothing)."""

    dimension: Dimension
    dimension_zh: str
    indicator: str
    zh: str
    en: str
    direction: Direction
    weight: int
    weight_source: str
    data_source: str
    direct_class: Literal["B", "C", "D"] | None
    fact: str | None
    mend: Mend | None
    source: str
    confidence: Confidence

    @property
    def produced(self) -> bool:
        return self.fact is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SectorName:
    sector: str
    zh: str
    en: str
    source: str
    confidence: Confidence


@cache
def indicators() -> Mapping[str, Indicator]:
    """All indicators by the name of the fact that states them, or by their own where none does.

    Raises PolicyError for a row that is wrong and for one that stands twice.
    """
    table = read_table(
        FOLDER / "indicators.csv", Indicator, required=("indicator", "zh", "en", "weight_source", "source")
    )
    unique(table, lambda row: row.indicator)
    unique(table, _name)
    return {_name(row): row for row in table}


def _name(row: Indicator) -> str:
    return row.fact or row.indicator


@cache
def _words() -> Mapping[str, tuple[str, str]]:
    sectors = read_table(FOLDER / "sector_names.csv", SectorName, required=("sector", "zh", "en", "source"))
    return {
        **{row.sector: (row.zh, row.en) for row in sectors},
        **{name: (row.zh, row.en) for row in indicators().values() for name in (row.indicator, _name(row))},
    }


def words(name: str) -> tuple[str, str]:
    """What an indicator or a sector is called, in Chinese and in English; its own name where nobody has said."""
    return _words().get(name, (name, name))


def is_produced(indicator: str) -> bool:
    """Whether any event of ours states it."""
    found = indicators().get(indicator)
    return found is not None and found.produced


@cache
def mendable() -> frozenset[str]:
    """The indicators, by fact, that people can set right: for `domain.explanation.ways_down`."""
    return frozenset(name for name, row in indicators().items() if row.mend is not None)


@cache
def without_producer() -> tuple[Indicator, ...]:
    """What no event of ours states: shown as missing, and nothing takes its weight over."""
    return tuple(row for row in indicators().values() if not row.produced)
