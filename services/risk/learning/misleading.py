"""What would mislead: a column that knows the outcome, one that tells who inspected, one frozen after the fact, one
that tells the day and not the enterprise, groups that a score treats differently."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
from scipy.stats import binom

from services.risk.learning import history
from services.risk.learning.arrays import Floats, Ints, Json, Mask
from services.risk.learning.bands import cut
from services.risk.learning.columns import Column
from services.risk.learning.measures import auc
from services.risk.learning.model import Scored, single_auc
from services.risk.learning.read import Table, looks_like, numbers, words

INSPECTOR_NAME = re.compile(
    r"(^|_)(inspector|sanitarian|examiner|assessor|surveyor|auditor)|(inspected|checked)_by|检查员|检查人|执法人员|承办人"
)
LEAKS_FROM_AUC = 0.95
SUSPECT_FROM_AUC = 0.80
CERTAIN_LEAK = 100
"""Outcomes of the rarer kind that a band should have had and has none of: so many are no chance. A fifth is suspect."""
ASK = "Was it known before the inspection? If not, --exclude it"
ROWS_TO_LOOK_AT, ROWS_FOR_A_GLANCE = 60_000, 5_000
GROUPS_AT_MOST, ROWS_OF_A_GROUP = 12, 50
DEVIATIONS, RATIO = 3.5, 1.33


@dataclass(frozen=True, slots=True)
class Warning:
    """`kind`: leak, leak_suspected, inspector, frozen, day_not_enterprise, group, or about the data itself."""

    kind: str
    column: str
    text: str

    def told(self) -> Json:
        return asdict(self)


def inspectors(columns: Sequence[Column], named: Sequence[str]) -> list[str]:
    """The columns that tell who inspected: by what they are called, or as the caller says."""
    return [one.name for one in columns if one.name in named or looks_like(one.name, INSPECTOR_NAME)]


def leaks(table: Table, columns: Sequence[Column], values: Mapping[str, Floats]) -> tuple[list[Warning], list[str]]:
    """Warnings, and the columns that plainly know the outcome."""
    rows = np.unique(np.linspace(0, table.count - 1, min(table.count, ROWS_TO_LOOK_AT)).astype(np.int64))
    found = table.found[rows]
    alone = {one.name: single_auc(values[one.name][rows], found) for one in columns}
    warnings: list[Warning] = []
    plain: list[str] = []
    for one in columns:
        pure = _pure(table.frame[one.name][rows], one, values[one.name][rows], found)
        if alone[one.name] >= LEAKS_FROM_AUC:
            text = f"alone it tells the outcome (AUC {alone[one.name]:.3f}): it is the outcome, or was written after it"
        elif pure is not None and pure[1] >= CERTAIN_LEAK:
            text = f"{pure[0]}: that is the outcome's own mark, or was written after it"
        elif pure is not None:
            warnings.append(Warning("leak_suspected", one.name, f"{pure[0]}. {ASK}"))
            continue
        elif alone[one.name] >= SUSPECT_FROM_AUC:
            text = f"alone it tells as much as hardly anything known beforehand does (AUC {alone[one.name]:.3f})"
            warnings.append(Warning("leak_suspected", one.name, f"{text}. {ASK}"))
            continue
        else:
            continue
        plain.append(one.name)
        warnings.append(Warning("leak", one.name, text))
    return warnings, plain


def _pure(series: pl.Series, column: Column, values: Floats, found: Mask) -> tuple[str, float] | None:
    """A value (or band) that always or never goes with a finding, and how many outcomes of the other kind its rows
    would have by chance."""
    if column.kind == "category":
        text = words(series).fill_null("(missing)")
        (place,) = history.codes(text)
        label = dict(zip(place.tolist(), text.to_list(), strict=True))
    else:
        bands = cut(values, found, 0)
        place = bands.place(values)
        label = dict(enumerate(bands.labels))
    rows, hits = np.bincount(place), np.bincount(place, found, minlength=int(place.max()) + 1)
    average = found.mean()
    expected = np.where(hits == 0, rows * average, np.where(hits == rows, rows * (1 - average), 0.0))
    worst = int(np.argmax(expected))
    if expected[worst] < CERTAIN_LEAK / 5:
        return None
    what = "never" if hits[worst] == 0 else "always"
    return f"{label[worst]!r} goes {what} with a finding in {rows[worst]} rows", float(expected[worst])


def frozen(table: Table, columns: Sequence[Column]) -> list[Warning]:
    """Numbers that never change for an entity and know its outcomes, this row's too: read off when the data were
    exported, such as a count of all violations ever. Among rows whose entities have the same other outcomes, a number
    known before says less about this one than it does in general; a number read off afterwards says more."""
    if table.entity is None:
        return []
    (code,) = history.codes(table.entity)
    if table.count > ROWS_TO_LOOK_AT:  # some entities with all their rows tell it
        some = np.flatnonzero(code % (table.count // ROWS_TO_LOOK_AT + 1) == 0)
        table, code = table.take(some), np.unique(code[some], return_inverse=True)[1]
    rows, hits = np.bincount(code), np.bincount(code, table.found)
    several = rows[code] > 1
    if several.mean() < 0.2:
        return []
    stratum = rows[code] * (int(rows.max()) + 1) + (hits[code] - table.found).astype(np.int64)
    told = []
    for one in columns:
        if one.kind != "number":
            continue
        values = np.nan_to_num(numbers(table.frame[one.name]), nan=-1.0)
        if len(np.unique(values)) < 5 or not _constant_within(code[several], values[several]):
            continue
        in_general = abs(auc(values[several], table.found[several]) - 0.5)
        at_equal = abs(_auc_within(stratum[several], values[several], table.found[several]) - 0.5)
        if at_equal > 0.08 and at_equal > in_general + 0.04:
            told.append(Warning(
                "frozen", one.name,
                f"never changes for an entity, and among entities with the same other outcomes it tells this one "
                f"(AUC {0.5 + at_equal:.2f}, in general {0.5 + in_general:.2f}): it seems to have been read off after "
                "the fact. Take it as it was on each date, or --exclude it",
            ))  # fmt: skip
    return told


def _constant_within(code: Ints, values: Floats) -> bool:
    order = np.lexsort((values, code))
    starts = np.flatnonzero(np.concatenate([[True], np.diff(code[order]) != 0]))
    least, most = np.minimum.reduceat(values[order], starts), np.maximum.reduceat(values[order], starts)
    return bool((least == most).mean() > 0.98)


def _auc_within(stratum: Ints, values: Floats, found: Mask) -> float:
    """AUC over the pairs of rows of the same stratum."""
    order = np.lexsort((values, stratum))
    stratum, values, found = stratum[order], values[order], found[order]
    new_stratum = np.concatenate([[True], np.diff(stratum) != 0])
    starts = np.flatnonzero(new_stratum | np.concatenate([[True], np.diff(values) != 0]))
    up, down = np.add.reduceat(found.astype(float), starts), np.add.reduceat((~found).astype(float), starts)
    before = np.cumsum(down) - down
    of_stratum = np.cumsum(new_stratum)[starts] - 1
    below = before - before[np.searchsorted(of_stratum, of_stratum, "left")]
    pairs = (np.bincount(of_stratum, up) * np.bincount(of_stratum, down)).sum()
    return float((up * (below + down / 2)).sum() / pairs) if pairs else 0.5


def of_the_day(table: Table, columns: Sequence[Column]) -> list[Warning]:
    """Columns that are the same for all rows of a day: weather, season."""
    days = pl.Series("day", table.day)
    count = days.n_unique()
    if table.count < 2 * count or count < 20:
        return []
    told = []
    for one in columns:
        values = table.frame[one.name]
        if any(not _same_all_day(days[:rows], values[:rows]) for rows in (ROWS_FOR_A_GLANCE, table.count)):
            continue
        if values.n_unique() > 5:
            text = (
                "is the same for all rows of a day: it tells the day, not the enterprise. A plan changes the day, so "
                "that what it adds to days_earlier is not there when inspections are moved; see it with --exclude"
            )
            told.append(Warning("day_not_enterprise", one.name, text))
    return told


def _same_all_day(days: pl.Series, values: pl.Series) -> bool:
    return pl.DataFrame({"day": days, "value": values}).n_unique() == days.n_unique()


def groups(
    table: Table, scored: Scored, named: Sequence[str], unused: Collection[str] = ()
) -> tuple[list[Json], list[Warning]]:
    """Each group of each category with few values (or those `named`): what the score expects and what was found, the
    general level set aside. What `fit` did not use, because it leaks, makes no groups. A warning where the two part by
    more than chance and by a third."""
    told: list[Json] = []
    warnings: list[Warning] = []
    level = table.found.sum() / max(scored.chance.sum(), 1e-9)
    first = scored.score >= np.median(scored.score)
    for name in table.frame.columns:
        if name in unused and name not in named:
            continue
        text = words(table.frame[name])
        sizes = text.drop_nulls().value_counts(name="rows", sort=True)
        if name not in named and not 2 <= len(sizes) <= GROUPS_AT_MOST:
            continue
        for value in sizes.filter(pl.col("rows") >= ROWS_OF_A_GROUP)[name].to_list():
            mine = (text == value).fill_null(False).to_numpy()
            findings, expected = int(table.found[mine].sum()), float(scored.chance[mine].sum() * level)
            told.append({
                "column": name, "value": value, "n": int(mine.sum()), "positives": findings,
                "expected": round(expected, 1), "auc": _or_none(auc(scored.score[mine], table.found[mine])),
                "share_in_upper_half": float(first[mine].mean()),
            })  # fmt: skip
            if warning := _apart(name, value, int(mine.sum()), findings, expected):
                warnings.append(warning)
    return told, warnings


def _apart(name: str, value: str, rows: int, findings: int, expected: float) -> Warning | None:
    chance = min(max(expected / rows, 1e-6), 1 - 1e-6)
    deviation = (findings - expected) / np.sqrt(rows * chance * (1 - chance))
    tail = min(binom.cdf(findings, rows, chance), binom.sf(findings - 1, rows, chance))
    if abs(deviation) < DEVIATIONS or tail > 1e-3 or 1 / RATIO < findings / max(expected, 1e-9) < RATIO:
        return None
    way = "low" if findings > expected else "high"
    text = f"{value!r}: the score expects {expected:.0f} findings in {rows} rows, {findings} were made: rated too {way}"
    return Warning("group", name, text)


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
