"""python -m bench.learning [quality] [speed]: what is learnt where the truth is known, and how long a fit takes.

Made-up worlds, each cut in time: what is learnt from the first four fifths is held against the last, or all but the
last 60 days against these."""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from rich.table import Table
from scipy.special import expit

from bench.figures import console
from services.risk.learning import example
from services.risk.learning.arrays import Floats, Ints, Json
from services.risk.learning.backtest import joined
from services.risk.learning.fit import Wanted, fit
from services.risk.learning.measures import Windows, auc
from services.risk.learning.model import score_rows
from services.risk.learning.read import read_table

ROWS, COLUMNS = 1_000_000, 30
FIRST = date(2018, 1, 1)


def district(random: np.random.Generator) -> pl.DataFrame:
    """What `example` writes, without what misleads in it."""
    seed = int(random.integers(1_000_000))
    return example.made_up(20_000, seed).drop("inspection_id", "findings_in_register", "fine_yuan", "inspector")


def city(random: np.random.Generator) -> pl.DataFrame:
    """Food inspections as cities publish them: weak signs, many of them of the place, and much chance."""
    rows, shops = 18_000, 5_000
    who, day = _visits(random, rows, shops, 1400)
    quality, opened = random.normal(0, 0.6, shops), -random.exponential(1500, shops)
    kind, zip_code = random.choice(12, shops, p=_falling(12)), random.choice(55, shops, p=_falling(55))
    of_kind, of_zip = random.normal(0, 0.3, 12), random.normal(0, 0.25, 55)
    heat = 60 + 25 * np.sin((day % 365 - 100) / 58.1) + random.normal(0, 5, 1401)[day]
    burglary, garbage = random.gamma(2, 15, rows), random.gamma(2, 10, rows)
    tobacco, alcohol = random.random(shops) < 0.2, random.random(shops) < 0.35
    truth = expit(
        -2.0 + quality[who] + of_kind[kind[who]] + of_zip[zip_code[who]] + 0.010 * (burglary - 30)
        + 0.008 * (garbage - 20) + 0.012 * (heat - 60) - 0.25 * tobacco[who] + 0.2 * alcohol[who]
        + 0.3 * (day - opened[who] < 500)
    )  # fmt: skip
    return _framed(
        random, who, day, truth, facility_type=[f"type {k}" for k in kind[who]], zip=60600 + zip_code[who],
        ageAtInspection=(day - opened[who]) / 365, heat_burglary=burglary, heat_garbage=_holed(random, garbage, 0.1),
        temperatureMax=heat, tobacco=tobacco[who].astype(int), alcohol=alcohol[who].astype(int),
        licences=random.poisson(1.3, rows), noise=random.normal(0, 1, rows), other_noise=random.integers(0, 9, rows),
    )  # fmt: skip


def tangled(random: np.random.Generator) -> pl.DataFrame:
    """What counts is in pairs of columns and in curves."""
    rows, shops = 30_000, 10_000
    who, day = _visits(random, rows, shops, 1400)
    x = random.normal(0, 1, (rows, 10))
    sign = np.where(x[:, 0] > 0, 1, -1)
    truth = expit(-2.4 + 1.2 * sign * x[:, 1] + 0.8 * np.cos(2 * x[:, 2]) + 0.7 * (x[:, 3] > 0.5) * (x[:, 4] > 0))
    return _framed(random, who, day, truth, **{f"x{i}": _holed(random, x[:, i], 0.05) for i in range(10)})


def rare(random: np.random.Generator) -> pl.DataFrame:
    """One finding in a hundred, many columns that say nothing."""
    rows, shops = 60_000, 20_000
    who, day = _visits(random, rows, shops, 1400)
    x = random.normal(0, 1, (rows, 15))
    many = random.integers(0, 3000, rows)
    truth = expit(-5.4 + 0.8 * x[:, 0] + 0.6 * np.maximum(x[:, 1], 0) + 0.5 * (x[:, 2] > 1) + 0.5 * (many < 300))
    columns: dict[str, object] = {f"x{i}": x[:, i] for i in range(15)}
    columns |= {"district": [f"area {m}" for m in many // 100], "code": [f"c{m}" for m in many]}
    return _framed(random, who, day, truth, **columns)


def drifting(random: np.random.Generator) -> pl.DataFrame:
    """Findings become rarer, and what they hang on changes."""
    rows, shops = 25_000, 6_000
    who, day = _visits(random, rows, shops, 2000)
    quality, late = random.normal(0, 0.7, shops), day / 2000
    x = random.normal(0, 1, (rows, 8))
    kind = random.integers(0, 8, shops)
    of_kind = random.normal(0, 0.5, (2, 8))
    truth = expit(
        -0.8 - 1.2 * late + quality[who] + (1 - late) * 0.8 * x[:, 0] + late * 0.8 * x[:, 1]
        + (1 - late) * of_kind[0][kind[who]] + late * of_kind[1][kind[who]]
    )  # fmt: skip
    return _framed(random, who, day, truth, kind=[f"k{k}" for k in kind[who]], **{f"x{i}": x[:, i] for i in range(8)})


def inspected(random: np.random.Generator) -> pl.DataFrame:
    """As `city`, with inspectors some of whom find far more than others; who will come is known beforehand."""
    frame = city(random)
    who = random.choice(30, frame.height, p=_falling(30))
    truth = frame["truth"].to_numpy()
    truth = expit(np.log(truth / (1 - truth)) - 0.3 + random.normal(0, 0.5, 30)[who])
    found = (random.random(frame.height) < truth).astype(int)
    return frame.with_columns(found=found, truth=truth, inspector=pl.Series([f"inspector {n}" for n in who]))


@dataclass(frozen=True, slots=True)
class World:
    """`last`: the days of the test; none: a fifth of the rows."""

    make: Callable[[np.random.Generator], pl.DataFrame]
    last: int | None = None
    exclude: tuple[str, ...] = ()


WORLDS = {
    "district": World(district), "city": World(city), "tangled": World(tangled), "rare": World(rare),
    "drifting": World(drifting), "60 days": World(inspected, 60),
    "60 days, no inspector": World(inspected, 60, ("inspector",)),
}  # fmt: skip


def _visits(random: np.random.Generator, rows: int, shops: int, days: int) -> tuple[Ints, Ints]:
    return random.integers(0, shops, rows), np.sort(random.integers(0, days, rows))


def _falling(count: int) -> Floats:
    return np.arange(count, 0, -1) / (count * (count + 1) / 2)


def _holed(random: np.random.Generator, values: Floats, share: float) -> pl.Series:
    return pl.Series(np.where(random.random(len(values)) < share, np.nan, values)).fill_nan(None)


def _framed(random: np.random.Generator, who: Ints, day: Ints, truth: Floats, **columns: object) -> pl.DataFrame:
    return pl.DataFrame({
        "uscc": [f"shop {n}" for n in who], "date": [FIRST + timedelta(days=int(d)) for d in day],
        "found": (random.random(len(truth)) < truth).astype(int), **columns, "truth": truth,
    })  # fmt: skip


def quality(folder: Path, seeds: int, names: list[str]) -> None:
    title = f"Held against the truth, means of {seeds} draws; days earlier within 60 days"
    both = ("of truth", "points", "boosted")
    heads = ["world", "findings", *(f"AUC {one}" for one in both), *(f"days {one}" for one in both)]
    table = Table(*heads, title=title, title_justify="left")
    for name in names:
        each = [_one(folder, WORLDS[name], np.random.default_rng(seed)) for seed in range(seeds)]
        rate, *figures = np.mean(each, axis=0)
        table.add_row(name, f"{rate:.1%}", *(f"{f:.4f}" for f in figures[:3]), *(f"{f:.2f}" for f in figures[3:]))
    console.print(table)


def _one(folder: Path, world: World, random: np.random.Generator) -> list[float]:
    frame = world.make(random).sort("date", maintain_order=True)
    days = frame["date"]
    first = days[int(0.8 * frame.height)] if world.last is None else days[-1] - timedelta(days=world.last - 1)
    train, test = frame.filter(pl.col("date") < first), frame.filter(pl.col("date") >= first)
    train.drop("truth").write_parquet(folder / "train.parquet")
    test.drop("truth").write_parquet(folder / "test.parquet")
    table, past = (read_table(folder / f"{part}.parquet", "found", "date", "uscc") for part in ("test", "train"))
    truth = test["truth"].to_numpy()
    scores = [truth]
    for model in ("points", "boosted"):
        document = _fitted(folder / "train.parquet", model, world.exclude)
        scores.append(score_rows(document["features"], table, joined(past, table)).score)
    return [
        float(table.found.mean()), *(_expected_auc(score, truth) for score in scores),
        *(Windows.of(score, table.day, table.found).days_earlier() for score in scores),
    ]  # fmt: skip


def _expected_auc(score: Floats, truth: Floats) -> float:
    """What the AUC is over all outcomes that the truth allows, so that the luck of the draw is out of it."""
    rows = len(score)
    found = np.arange(2 * rows) < rows
    return auc(np.concatenate([score, score]), found, np.concatenate([truth, 1 - truth]))


def _fitted(train: Path, model: str, exclude: tuple[str, ...] = ()) -> Json:
    return fit(Wanted(train=train, outcome="found", date="date", entity="uscc", model=model, exclude=exclude), _silent)


def _silent(_: str) -> None:
    """Only the figures are of interest."""


def speed(folder: Path) -> None:
    """A million rows of thirty columns: numbers, categories, holes, and the history of 200,000 enterprises."""
    random = np.random.default_rng(1)
    who, day = _visits(random, ROWS, 200_000, 2500)
    x = random.normal(0, 1, (ROWS, COLUMNS - 6))
    kind, area = random.integers(0, 12, ROWS), random.integers(0, 400, ROWS)
    quality = random.normal(0, 0.7, 200_000)
    truth = expit(-2.5 + quality[who] + 0.5 * x[:, 0] + 0.3 * x[:, 1] * x[:, 2] + 0.05 * kind)
    columns = {f"x{i}": _holed(random, np.round(x[:, i], 4), 0.05) for i in range(x.shape[1])}
    frame = _framed(random, who, day, truth, kind=[f"k{k}" for k in kind], area=[f"a{a}" for a in area], **columns)
    frame.drop("truth").with_columns(visit=pl.int_range(ROWS)).write_csv(folder / "million.csv")
    for model in ("points", "boosted"):
        began, busy = time.perf_counter(), time.process_time()
        _fitted(folder / "million.csv", model)
        took, used = time.perf_counter() - began, time.process_time() - busy
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        console.print(f"fit {model}, {ROWS:,} rows, {COLUMNS} columns, CSV: {took:.0f} s, {used:.0f} s of one core, "
                      f"at most {memory:.1f} GB")  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.learning", description=__doc__)
    parser.add_argument("what", nargs="*", default=["quality", "speed"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--worlds", nargs="*", default=list(WORLDS))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if "quality" in given.what:
            quality(Path(scratch), given.seeds, given.worlds)
        if "speed" in given.what:
            speed(Path(scratch))
