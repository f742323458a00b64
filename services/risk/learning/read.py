"""A file of inspections with their results, CSV or Parquet, as columns in the order of their dates."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from polars import selectors

from services.risk.learning.arrays import Floats, Ints, Mask, Unusable

ABSENT = ["", "NA", "N/A", "na", "n/a", "#N/A", "NULL", "null", "None", "none", "NaN", "nan", "-", "--", "?", "无"]
YES, NO = {"1", "true", "t", "yes", "y", "是", "有"}, {"0", "false", "f", "no", "n", "否", "无"}
PLAIN_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日", "%d %b %Y")
"""They can be read one way only, so that a column may mix them with others."""
DATES = ("%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%d.%m.%Y", "%m/%d/%y", "%d/%m/%y")
MONTH_FIRST = r"^([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2}),?\s+(\d{4}).*$"
DAY_FIRST = r"^(?:[A-Za-z]+,\s*)?(\d{1,2})[\s-]+([A-Za-z]{3})[a-z]*\.?[\s-]+(\d{4}).*$"
LARGEST = 1e30  # trees hold numbers of 32 bits and add them up
NUMBER = r"^[$¥€]?\s*([+-]?[\d,]*\.?\d+(?:[eE][+-]?\d+)?)\s*%?$"
UNREADABLE_AT_MOST = 0.05
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows by date. `frame` has the columns that are neither outcome nor date nor entity; `entity` is None without."""

    path: Path
    frame: pl.DataFrame
    found: Mask
    day: Ints
    entity: pl.Series | None
    notes: tuple[str, ...]

    @property
    def count(self) -> int:
        return len(self.day)

    def take(self, rows: Ints | Mask) -> "Table":
        at = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        entity = None if self.entity is None else self.entity[at]
        return Table(self.path, self.frame[at], self.found[at], self.day[at], entity, self.notes)


def read_table(
    path: Path, outcome: str, date: str, entity: str | None = None, *, positive: str | None = None,
    exclude: Sequence[str] = (),
) -> Table:  # fmt: skip
    """Raises Unusable. Rows without outcome or date are left out and counted in `notes`."""
    frame = read_frame(path)
    for column in (outcome, date, *([] if entity is None else [entity])):
        _require(path, frame, column)
    if len({outcome, date, entity}) < 3:
        raise Unusable("--outcome, --date and --entity name three columns, and two of them are the same")
    frame = frame.with_columns(pl.col(pl.String).exclude(outcome).replace(dict.fromkeys(ABSENT)))
    notes = [f"there is no column {name} to exclude" for name in exclude if name not in frame.columns]
    day, found = dates(frame[date]), _outcome(path, frame[outcome], positive)
    if day.null_count() > frame.height * 0.5:
        raise Unusable(f"{path}: column {date}: no dates that can be read, such as 2026-01-05 or 01/05/2026")
    day = day.set((day.dt.year() < 1970).fill_null(False), None)  # days are counted from there
    good = (day.is_not_null() & found.is_not_null()).to_numpy()
    if left_out := frame.height - int(good.sum()):
        notes.append(f"{left_out} of {frame.height} rows have no {outcome} or no readable {date} and are left out")
    if entity is not None and (nameless := int(frame[entity].null_count())):
        notes.append(f"{nameless} rows name no {entity}: each counts as an entity of its own")
    days = day.filter(pl.Series(good)).to_physical().cast(pl.Int64).to_numpy()
    rows = np.flatnonzero(good)[np.argsort(days, kind="stable")]
    gone = [name for name in {outcome, date, entity, *exclude} if name in frame.columns]
    return Table(
        path, frame.drop(gone)[rows], found[rows].cast(pl.Boolean).to_numpy(), np.sort(days, kind="stable"),
        None if entity is None else _named(frame[entity])[rows], tuple(notes),
    )  # fmt: skip


def read_frame(path: Path) -> pl.DataFrame:
    """All columns; those of a CSV file as text. Raises Unusable."""
    if not path.is_file():
        raise Unusable(f"{path}: is a folder" if path.is_dir() else f"{path}: there is no such file")
    try:
        with path.open("rb") as file:
            begins = file.read(4)
        if begins in SPREADSHEETS:
            raise Unusable(f"{path}: is a spreadsheet or an archive: save it as CSV")
        is_parquet = begins == b"PAR1" or path.suffix in {".parquet", ".pq"}
        frame = pl.read_parquet(path) if is_parquet else _read_csv(path)
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError) as error:
        raise Unusable(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None
    if not frame.height:
        raise Unusable(f"{path}: no rows")
    return frame.with_columns(selectors.duration().dt.total_seconds() / 86_400, selectors.time().cast(pl.String))


def _read_csv(path: Path) -> pl.DataFrame:
    raw = _utf8(path, path.read_bytes())
    raw = (raw if b"\n" in raw else raw.replace(b"\r", b"\n")).lstrip(b"\r\n")
    first = raw[: raw.find(b"\n")].decode() if b"\n" in raw else raw.decode()
    if not first.strip():
        raise Unusable(f"{path}: no header line")
    separator = max(",;\t|", key=first.count)
    given = next(csv.reader([first], delimiter=separator))
    names = [name.strip() or f"column {place}" for place, name in enumerate(given, 1)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Unusable(f"{path}: column {twice[0]!r} stands twice in the header")
    return pl.read_csv(
        raw,
        separator=separator,
        infer_schema=False,
        new_columns=names,
        null_values=[absent for absent in ABSENT if absent not in NO],
        truncate_ragged_lines=True,
    )


def _utf8(path: Path, raw: bytes) -> bytes:
    """The text in UTF-8 without a mark of order, whatever it came in."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16").encode()
    if b"\0" not in raw[:100_000]:
        for encoding in ("utf-8", "gb18030", "cp1252"):  # what spreadsheets write in China and elsewhere
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError:
                continue
            return raw.removeprefix(b"\xef\xbb\xbf") if encoding == "utf-8" else text.encode()
    raise Unusable(f"{path}: is neither text (UTF-8, UTF-16, GB 18030) nor Parquet")


def _require(path: Path, frame: pl.DataFrame, column: str) -> None:
    if column not in frame.columns:
        there = ", ".join(frame.columns[:30]) + (", …" if frame.width > 30 else "")
        raise Unusable(f"{path}: there is no column {column}; there are {there}")


def dates(column: pl.Series) -> pl.Series:
    """Days, null where unreadable. Of formats that can be confused the one that reads most; of equals the first."""
    if column.dtype == pl.Date:
        return column
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.date()
    if column.dtype.is_integer():
        column = column.cast(pl.String)
    if column.dtype != pl.String:
        return pl.Series(column.name, [None] * len(column), dtype=pl.Date)
    distinct = column.drop_nulls().unique(maintain_order=True)  # many rows share few days
    return column.replace_strict(distinct, _days(distinct), default=None, return_dtype=pl.Date)


def _days(text: pl.Series) -> pl.Series:
    text = text.str.strip_chars()
    named = text.str.replace(MONTH_FIRST, "${2} ${1} ${3}").str.replace(DAY_FIRST, "${1} ${2} ${3}")
    head = text.str.extract(r"^([^\sT]+)")
    read = {format: (named if "%b" in format else head).str.to_date(format, strict=False)
            for format in (*PLAIN_DATES, *DATES)}  # fmt: skip
    # Years like 0014 or 9999 are typing errors, not dates, or another format's.
    read = {format: days.set((days.dt.year() < 1900) | (days.dt.year() > 2199), None) for format, days in read.items()}
    best = min(read.values(), key=lambda days: days.null_count())
    return pl.select(pl.coalesce(best, *(read[format] for format in PLAIN_DATES))).to_series()


def numbers(column: pl.Series) -> Floats:
    """As floats, NaN where there is none. Text may have separators, a currency sign or a percent sign."""
    if column.dtype == pl.Boolean or column.dtype.is_numeric():
        read = column.cast(pl.Float64, strict=False)
    else:
        text = column.cast(pl.String).str.strip_chars()
        flags = text.str.to_lowercase().replace_strict(
            {"true": 1.0, "false": 0.0}, default=None, return_dtype=pl.Float64
        )
        plain = text.cast(pl.Float64, strict=False)
        if plain.null_count() > text.null_count():
            formed = text.str.extract(NUMBER).str.replace_all(",", "").cast(pl.Float64, strict=False)
            plain = pl.select(pl.coalesce(plain, formed, flags)).to_series()
        read = plain
    values = read.to_numpy().astype(np.float64)
    return np.where(np.isfinite(values), np.clip(values, -LARGEST, LARGEST), np.nan)


def words(column: pl.Series) -> pl.Series:
    """As text, the same whether a whole number came as 60601, as 60601.0 or as text."""
    if column.dtype.is_float():
        column = column.fill_nan(None)
    text = column.cast(pl.String, strict=False).str.strip_chars()
    return text.str.replace(r"^(-?\d+)\.0+$", "${1}").replace(dict.fromkeys(ABSENT))


def _named(entity: pl.Series) -> pl.Series:
    own = pl.Series([f"row {n}" for n in range(len(entity))]) if entity.null_count() else entity.cast(pl.String)
    named = words(entity)
    return pl.select(pl.coalesce(named, own)).to_series()


def _outcome(path: Path, column: pl.Series, positive: str | None) -> pl.Series:
    """True where something was found."""
    text = _said(column)
    values = sorted(text.drop_nulls().unique().to_list())
    if positive is not None:
        wanted: str | None = _said(pl.Series([positive]))[0]
        if wanted not in values:
            raise Unusable(f"{path}: column {column.name}: no row has {positive!r}; there are {_shown(values)}")
        found = text == wanted
    elif set(values) <= YES | NO:
        found = text.is_in(list(YES)).set(text.is_null(), None)
    else:
        raise Unusable(
            f"{path}: column {column.name}: an outcome is 0 or 1 (or yes and no), and this has {_shown(values)}. "
            "Say with --positive which value means that something was found"
        )
    if found.drop_nulls().n_unique() < 2:
        raise Unusable(
            f"{path}: column {column.name}: every row has the same outcome ({_shown(values) or 'none'}), so that there "
            "is nothing to learn or to judge. Rows without an outcome do not count as one without a finding"
        )
    return found


def _said(outcome: pl.Series) -> pl.Series:
    """An outcome as it is compared: 1, 1.0 and "1.00 " are the same; 无 says no here, and is not missing."""
    text = (outcome.fill_nan(None) if outcome.dtype.is_float() else outcome).cast(pl.String, strict=False)
    text = text.str.strip_chars().str.replace(r"^(-?\d+)\.0+$", "${1}")
    return text.replace({absent: None for absent in ABSENT if absent not in NO}).str.to_lowercase()


def _shown(values: Sequence[str]) -> str:
    return ", ".join(values[:6]) + (", …" if len(values) > 6 else "")


def looks_like(name: str, pattern: re.Pattern[str]) -> bool:
    """Whether a column's name says this; CamelCase and snake_case alike."""
    return pattern.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()) is not None
