"""Files as they come: what is read from them, and what cannot serve, by name and with the reason."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from services.risk.learning.arrays import Unusable
from services.risk.learning.columns import understood
from services.risk.learning.read import Table, dates, numbers, read_table, words
from tests.learning.conftest import written

N = 300
DAYS = [date(2020, 1, 1) + timedelta(days=n) for n in range(N)]


def frame(**columns: object) -> pl.DataFrame:
    return pl.DataFrame({"on": DAYS, "bad": [n % 3 == 0 for n in range(N)], **columns})


def table(tmp_path: Path, name: str = "given.parquet", **columns: object) -> Table:
    return read_table(written(tmp_path, frame(**columns), name), "bad", "on")


def reasons(tmp_path: Path, **columns: object) -> dict[str, str]:
    return {one.name: one.reason for one in understood(table(tmp_path, **columns))[1]}


def kinds(tmp_path: Path, name: str = "given.csv", **columns: object) -> dict[str, str]:
    return {one.name: one.kind for one in understood(table(tmp_path, name, **columns))[0]}


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        ("nothing", [None] * N, "is empty"),
        ("nan", [float("nan")] * N, "is empty"),
        ("last_found", [n % 2 for n in range(N)], "has the name of a feature that the tool makes"),
        ("constant", ["x"] * N, "has the same value in every row"),
        ("endless", [float("inf") if n > 9 else 1.0 * n for n in range(N)], "has a finite value in 10 rows only"),
        ("hardly", [1.5 if n < 5 else None for n in range(N)], "has a value in 5 rows only"),
        ("remarks", [f"seen {n}" for n in range(N)], "is an identifier or free text: 300 values in 300 rows"),
        ("licence_no", [(n * 7919) % 100_003 for n in range(N)], "is an identifier: 300 values in 300 rows"),
        ("sequence", list(range(5000, 5000 + N)), "is a running number"),
        ("story", [f"{'long ' * 20}{n % 9}" for n in range(N)], "is free text of 101 characters on average"),
        ("scattered", [f"v{n % 140}" for n in range(N)], "no value stands in 20 rows"),
        ("lists", [[1, 2]] * N, "holds lists or records"),
        ("closed_on", [day + timedelta(days=3) for day in DAYS], "is later than the inspection in 100% of rows"),
        ("again", DAYS, "is the day of the inspection"),
        ("foreign_invested", [n % 10_000 for n in range(N)], "foreign ownership carries no weight"),
    ],
)
def test_what_cannot_serve_is_named_with_the_reason(tmp_path: Path, column: str, values: list, reason: str) -> None:
    told = reasons(tmp_path, **{column: pl.Series(values)}, fine=[n % 7 for n in range(N)])
    assert list(told) == [column]
    assert told[column].startswith(reason)


def test_columns_of_every_kind_are_understood_as_text_and_as_types(tmp_path: Path) -> None:
    columns = {
        "price": [f"¥{n},000.5" if n % 9 else "N/A" for n in range(N)],
        "share": [f"{n % 100}%" for n in range(N)],
        "flag": [str(n % 2 == 0) for n in range(N)],
        "zip": [200040 + n % 5 for n in range(N)],
        "kind": ["a" if n % 2 else None for n in range(N)],
        "opened": [f"{1 + n % 12}/{1 + n % 28}/2015" for n in range(N)],
        "compact": [20150101 + n % 28 for n in range(N)],
        "capital": [float(n * 37 % N) ** 2 for n in range(N)],
        "none_given": ["无" if n % 3 else f"{n % 50}" for n in range(N)],
    }  # fmt: skip
    expected = {
        "price": "number", "share": "number", "flag": "number", "zip": "category", "kind": "category",
        "opened": "date", "compact": "date", "capital": "number", "none_given": "number",
    }  # fmt: skip
    assert kinds(tmp_path, **columns) == expected
    assert kinds(tmp_path, "given.parquet", **columns) == expected


def test_numbers_dates_and_words_are_read_as_people_write_them() -> None:
    np.testing.assert_array_equal(
        numbers(pl.Series(["1,200", "$3.5", "7%", "True", "x", None, "-1e3", "inf"])),
        [1200, 3.5, 7, 1, np.nan, np.nan, -1000, np.nan],
    )
    assert np.isfinite(numbers(pl.Series([1e300, -1e300])).astype(np.float32)).all()  # as trees hold them
    for text in ("2026-01-05", "2026-01-05T08:00:00.000", "01/05/2026", "1/5/2026 12:00:00 AM", "2026/01/05",
                 "20260105", "2026年01月05日", "2026-01-05 10:11:12", "2026.1.5", "5-Jan-2026", "5 January 2026",
                 "Jan 5, 2026", "January 05 2026", "Mon, 5 Jan 2026 08:00:00", "01/05/26", "01-05-2026",
                 "2026-01-05T08:00:00+08:00"):  # fmt: skip
        assert dates(pl.Series([text])).to_list() == [date(2026, 1, 5)], text
    assert dates(pl.Series(["13/05/2026", "02/03/2026"])).to_list() == [date(2026, 5, 13), date(2026, 3, 2)]
    assert dates(pl.Series(["13-05-2026", "02-03-2026"])).to_list() == [date(2026, 5, 13), date(2026, 3, 2)]
    mixed = ["03/02/2026", "2026-03-04", None, "03/31/2026"]
    assert dates(pl.Series(mixed)).to_list() == [date(2026, 3, 2), date(2026, 3, 4), None, date(2026, 3, 31)]
    assert dates(pl.Series(["0014-01-01", "n"])).to_list() == [None, None]
    assert words(pl.Series([60601.0, None])).to_list() == words(pl.Series(["60601", ""])).to_list() == ["60601", None]


@pytest.mark.parametrize(
    ("outcome", "positive", "found"),
    [
        (["Yes", "no"], None, [True, False]),
        ([1, 0], None, [True, False]),
        ([1.0, 0.0], None, [True, False]),
        (["是", "否"], None, [True, False]),
        (["有", "无"], None, [True, False]),
        (["有", "无"], "无", [False, True]),
        ([2.0, 1.0], "2", [True, False]),
        (["2", "1"], "2.0", [True, False]),
        (["TRUE ", " 0"], None, [True, False]),
        ([True, False], None, [True, False]),
        (["1.00", "0.00"], None, [True, False]),
        (["Fail", "Pass"], "fail", [True, False]),
    ],
)
def test_outcomes(tmp_path: Path, outcome: list, positive: str | None, found: list) -> None:
    for name in ("given.csv", "given.parquet"):
        path = written(tmp_path, pl.DataFrame({"on": DAYS[:2], "bad": outcome}), name)
        assert read_table(path, "bad", "on", positive=positive).found.tolist() == found


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "cannot be read|no header"),
        ("on,bad\n", "no rows"),
        ("on,bad,bad\n2026-01-05,1,0\n", "column 'bad' stands twice"),
        ("on,worse\n2026-01-05,1\n", "there is no column bad; there are on, worse"),
        ("on,bad\n2026-01-05,1\n2026-01-06,1\n", r"column bad: every row has the same outcome \(1\)"),
        ("on,bad\n2026-01-05,1\n2026-01-06,\n", "Rows without an outcome do not count as one without a finding"),
        ("on,bad, bad\n2026-01-05,1,0\n", "column 'bad' stands twice"),
        ("\n\n", "no header line"),
        ("PK\x03\x04, a workbook", "is a spreadsheet or an archive: save it as CSV"),
        ("on,bad\n\0\0\0", "is neither text"),
        ("on,bad\n2026-01-05,3\n2026-01-06,1\n", "column bad: an outcome is 0 or 1 .* this has 1, 3"),
        ("on,bad\nsoon,1\nlater,0\n", "column on: no dates that can be read"),
    ],
)
def test_a_file_that_cannot_serve_is_refused_in_a_sentence(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "given.csv"
    path.write_text(content)
    with pytest.raises(Unusable, match=says) as refused:
        read_table(path, "bad", "on")
    assert str(refused.value).startswith(str(path))


ORDINARY = "on,bad,企业 \n2026-01-05,1,甲\n2026-01-06,0,乙\n"


@pytest.mark.parametrize(
    "content",
    [
        ORDINARY.encode(),
        ORDINARY.encode("utf-8-sig"),
        ORDINARY.encode("utf-16"),
        ORDINARY.encode("gb18030"),
        ORDINARY.replace("\n", "\r\n").encode(),
        ORDINARY.replace("\n", "\r").encode(),
        ORDINARY.replace(",", "|").encode(),
        f"\n\n{ORDINARY}".encode(),
    ],
)
def test_text_is_read_whatever_wrote_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "given.csv"
    path.write_bytes(content)
    read = read_table(path, "bad", "on", "企业")
    assert read.entity is not None
    assert (read.entity.to_list(), read.found.tolist()) == (["甲", "乙"], [True, False])


def test_western_text_chinese_text_late_in_a_file_and_a_header_of_any_length_are_read(tmp_path: Path) -> None:
    path = tmp_path / "given.csv"
    path.write_bytes("on,bad,café\n2026-01-05,1,é\n2026-01-06,0,è\n".encode("cp1252"))
    assert read_table(path, "bad", "on", "café").count == 2
    late = "on,bad,k\n2026-01-05,1,a\n" + "2026-01-06,0,b\n" * 9000 + "2026-01-06,0,甲\n"
    path.write_bytes(late.encode("gb18030"))
    assert read_table(path, "bad", "on", "k").entity.to_list()[-1] == "甲"  # type: ignore[union-attr]
    names = [f"{'long' * 60}{n}" for n in range(700)]
    path.write_text(f"on,bad,{','.join(names)}\n" + "".join(f"2026-01-05,{n}{',1' * 700}\n" for n in (0, 1)))
    assert read_table(path, "bad", "on").frame.columns == names


def test_parquet_of_every_type_is_read(tmp_path: Path) -> None:
    base = pl.DataFrame({"n": range(N)})
    columns = base.select(
        decimal=(pl.col("n") % 40).cast(pl.Decimal(10, 2)),
        duration=pl.duration(hours=pl.col("n") % 50 - 10),
        clock=pl.time(pl.col("n") % 3),
        category=(pl.col("n") % 3).cast(pl.String).cast(pl.Categorical),
        flag=pl.col("n") % 2 == 0,
        small=(pl.col("n") % 100).cast(pl.Int8),
        opened=pl.lit(date(2015, 1, 1)).cast(pl.Datetime("ns", "Asia/Shanghai")) + pl.duration(days=pl.col("n") % 9),
        holes=pl.when(pl.col("n") % 3 == 0).then(pl.col("n") % 7),
        endless=pl.when(pl.col("n") % 3 == 0).then(float("inf")).otherwise(pl.col("n") % 7),
    )
    assert kinds(tmp_path, "given.parquet", **columns.to_dict()) == {
        "decimal": "number", "duration": "number", "clock": "category", "category": "category", "flag": "number",
        "small": "number", "opened": "date", "holes": "number", "endless": "number",
    }  # fmt: skip
    (tmp_path / "given.parquet").rename(tmp_path / "named.csv")  # and whatever it is called
    assert read_table(tmp_path / "named.csv", "bad", "on").frame["duration"].min() == pytest.approx(-10 / 24)


def test_rows_without_outcome_or_date_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "given.csv"
    path.write_text("on;bad;企业\n2026-01-06;1;甲\n;0;乙\n2026-01-05;0;\n2026-01-05;;丙\n", encoding="gb18030")
    read = read_table(path, "bad", "on", "企业")
    assert (read.count, read.found.tolist()) == (2, [False, True])
    assert read.entity is not None
    assert read.entity.to_list() == ["row 2", "甲"]
    assert [note.split(" ")[0] for note in read.notes] == ["2", "1"]
