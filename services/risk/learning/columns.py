"""What each column of a file can serve for: a number, a category, a date, or nothing, and then why."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from scipy.stats import rankdata

from services.risk.domain.scorecard import WEIGHTLESS
from services.risk.learning.arrays import Floats, Ints
from services.risk.learning.history import FEATURES
from services.risk.learning.read import UNREADABLE_AT_MOST, Table, dates, looks_like, numbers, words

Kind = Literal["number", "category", "date"]

ID_NAME = re.compile(r"(^|_)(id|ids|uuid|guid|key|no|num|number|serial|uscc|licen[sc]e|camis|case)$|编号|代码|证号")
CATEGORY_NAME = re.compile(
    r"(^|_)(zip|zipcode|postcode|postal|ward|area|district|precinct|borough|community|region|code|type|category|industry|"
    r"sector|class|group|tract|neighborhood|inspector|officer)s?(_|$)|邮编|行业|区域|街道|类型|类别"
)
LEVELS_AT_MOST = 1000
ROWS_OF_A_LEVEL = 20
ROWS_FOR_A_GLANCE = 1000
TEXT_LENGTH = 60
NEARLY_ALL = 0.5


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Unused:
    """A column that serves for nothing, and why."""

    name: str
    reason: str


def understood(table: Table, *, as_numbers: Sequence[str] = ()) -> tuple[list[Column], list[Unused]]:
    """Every column of the table, in its order. `as_numbers` are not taken for codes of categories."""
    usable: list[Column] = []
    unused: list[Unused] = []
    for series in table.frame.iter_columns():
        kind = _kind(series, table.day, series.name in as_numbers)
        if isinstance(kind, Unused):
            unused.append(kind)
        else:
            usable.append(Column(series.name, kind))
    return usable, unused


def _kind(series: pl.Series, day: Ints, as_number: bool) -> Kind | Unused:
    def no(reason: str) -> Unused:
        return Unused(series.name, reason)

    if series.name in WEIGHTLESS:
        return no("foreign ownership carries no weight (Foreign Investment Law, national treatment)")
    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        return no("holds lists or records, not one value a row")
    if series.name in FEATURES:
        return no("has the name of a feature that the tool makes of the history; rename it to use it")
    series = series.fill_nan(None) if series.dtype.is_float() else series
    given = len(series) - series.null_count()
    if not given:
        return no("is empty")
    distinct = series.drop_nulls().n_unique()
    if distinct == 1 and given == len(series):
        return no("has the same value in every row")
    if given < ROWS_OF_A_LEVEL:
        return no(f"has a value in {given} rows only")
    if isinstance(series.dtype, pl.Date | pl.Datetime):
        return _dated(series, day)
    values = numbers(series)
    read = np.isfinite(values)
    if series.dtype.is_numeric():  # infinite is missing
        given = int(read.sum())
        if given < ROWS_OF_A_LEVEL:
            return no(f"has a finite value in {given} rows only")
    compact = _is_compact_date(series, values[read])
    if read.sum() >= given * (1 - UNREADABLE_AT_MOST) and not compact:
        return _number(series, values, read, day, as_number)
    if (compact or _looks_dated(series)) and dates(series).null_count() <= len(series) - given * (
        1 - UNREADABLE_AT_MOST
    ):
        return _dated(series, day)
    return _category(series, given)


def _is_compact_date(series: pl.Series, values: Floats) -> bool:
    """20260105 is a date, not twenty millions."""
    if not len(values) or values.min() < 19000101 or values.max() > 21991231 or (values != np.round(values)).any():
        return False
    return bool(dates(series.cast(pl.String)).null_count() <= series.null_count() + len(values) * UNREADABLE_AT_MOST)


def _looks_dated(series: pl.Series) -> bool:
    """By some of its rows: to try each way of writing a date on a million remarks takes long."""
    if series.dtype != pl.String:
        return False
    given = series.drop_nulls()
    some = given.gather_every(max(1, len(given) // ROWS_FOR_A_GLANCE))
    return dates(some).null_count() < len(some) / 2


def _dated(series: pl.Series, day: Ints) -> Kind | Unused:
    when = dates(series).to_physical().cast(pl.Int64)
    gap = day - when.to_numpy()
    known = when.is_not_null().to_numpy()
    later = float((gap[known] < 0).mean()) if known.any() else 0.0
    if later > UNREADABLE_AT_MOST:
        return Unused(
            series.name, f"is later than the inspection in {later:.0%} of rows: it was written after the fact"
        )
    if (gap[known] == 0).mean() > 0.99:
        return Unused(series.name, "is the day of the inspection, which planning changes")
    return "date"


def _number(series: pl.Series, values: Floats, read: np.ndarray, day: Ints, as_number: bool) -> Kind | Unused:
    given = values[read]
    distinct = len(np.unique(given))
    whole = bool((given == np.round(given)).all())
    if as_number:
        return "number"
    if whole and distinct > max(ROWS_OF_A_LEVEL, len(given) // 20) and looks_like(series.name, ID_NAME):
        return Unused(series.name, f"is an identifier: {distinct} values in {len(given)} rows")
    if whole and distinct > 0.95 * len(given) > ROWS_OF_A_LEVEL and _rises_with(given, day[read]):
        return Unused(series.name, "is a running number: it rises with the date and tells rows apart, not risks")
    if whole and 2 < distinct <= LEVELS_AT_MOST and looks_like(series.name, CATEGORY_NAME):
        return _category(series, len(given))
    if distinct == 1:
        return "category"  # there or not there
    return "number"


def _rises_with(values: Floats, day: Ints) -> bool:
    return abs(float(np.corrcoef(rankdata(values), rankdata(day))[0, 1])) > 0.9


def _category(series: pl.Series, given: int) -> Kind | Unused:
    text = words(series)
    sizes = text.drop_nulls().value_counts()["count"]
    frequent = int((sizes >= ROWS_OF_A_LEVEL).sum())
    if len(sizes) > given * NEARLY_ALL and len(sizes) > ROWS_OF_A_LEVEL:
        return Unused(series.name, f"is an identifier or free text: {len(sizes)} values in {given} rows")
    length = text.str.len_chars().mean()
    if isinstance(length, float) and length > TEXT_LENGTH:
        return Unused(series.name, f"is free text of {length:.0f} characters on average")
    if not frequent:
        return Unused(series.name, f"no value stands in {ROWS_OF_A_LEVEL} rows, so that none can be judged")
    return "category"
