"""Made-up inspections whose truth is known: enterprises with a lasting quality that nobody sees, inspected again and
again; and with what misleads in real data."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit

from services.risk.learning.arrays import Floats, Ints, Unusable

FIRST, DAYS, TEST_DAYS = date(2021, 1, 4), 1826, 365
KINDS = ("catering", "food_retail", "food_manufacture", "lodging", "training", "beauty")
KIND_EFFECT = np.array([0.5, 0.1, 0.3, 0.0, -0.5, -0.3])
STREETS = [f"3101060{n:02}" for n in range(1, 15)]
INSPECTORS = [f"inspector-{n}" for n in range(1, 13)]


def write(folder: Path, rows: int, seed: int) -> list[Path]:
    """train.csv, test.csv (the last year) and policy.csv; truth.csv has the true chance of each row of the test."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unusable(f"{folder}: cannot be written: {error.strerror}") from None
    frame = made_up(rows, seed)
    last = FIRST + timedelta(days=DAYS - TEST_DAYS)
    train, test = frame.filter(pl.col("date") < last), frame.filter(pl.col("date") >= last)
    written = {
        "train.csv": train.drop("truth"),
        "test.csv": test.drop("truth"),
        "truth.csv": test.select("truth"),
        "policy.csv": pl.DataFrame({"risk_class": ["A", "B", "C", "D"], "ratio": [0.3, 0.6, 0.9, 1.0]}),
    }
    for name, part in written.items():
        part.write_csv(folder / name)
    return [folder / name for name in written]


def made_up(rows: int, seed: int) -> pl.DataFrame:
    """One row an inspection, by date. `truth` is the chance of a finding, given all that there is to know."""
    random = np.random.default_rng(seed)
    count = max(rows // 6, 1)
    quality = random.normal(0, 0.8, count)
    kind, street = random.integers(0, len(KINDS), count), random.integers(0, len(STREETS), count)
    opened = np.sort(random.integers(-3000, DAYS, count))
    capital = np.round(np.exp(random.normal(14.5, 1.2, count)))
    day = np.sort(random.integers(0, DAYS, rows))
    day = np.sort(day - ((day % 7) >= 5) * ((day % 7) - 4))  # the first day is a Monday; nobody inspects at weekends
    there = np.searchsorted(opened, day, "right")  # who is not yet open is not inspected
    who = (random.random(rows) * there).astype(np.int64)
    penalties = random.poisson(np.exp(-1.6 + 0.9 * quality)[who])
    complaints = random.poisson(np.exp(-0.7 + 0.5 * quality)[who]).astype(float)
    months = (day - opened[who]) // 30
    inspector = random.integers(0, len(INSPECTORS), rows)
    strictness = random.normal(0, 0.45, len(INSPECTORS))
    street_effect = random.normal(0, 0.25, len(STREETS))
    truth = expit(
        -2.2 + quality[who] + KIND_EFFECT[kind[who]] + street_effect[street[who]] + strictness[inspector]
        + 0.35 * np.minimum(penalties, 3) + 0.25 * np.minimum(complaints, 4) + 0.5 * (months < 12)
        - 0.25 * (capital[who] > 5e6) + 0.6 * ((kind[who] == 0) & (complaints >= 2))
    )  # fmt: skip
    found = random.random(rows) < truth
    complaints[random.random(rows) < 0.08] = np.nan
    return pl.DataFrame({
        "inspection_id": np.arange(1, rows + 1),
        "uscc": [f"91310106MA{n:07}X" for n in who],
        "date": [FIRST + timedelta(days=int(d)) for d in day],
        "found": found.astype(int),
        "newly_registered": months,
        "registered_capital": capital[who].astype(np.int64),
        "penalties_3y": penalties,
        "complaints_12m": pl.Series(complaints).fill_nan(None).cast(pl.Int64),
        "kind": [KINDS[k] for k in kind[who]],
        "street": [STREETS[s] for s in street[who]],
        "inspector": [INSPECTORS[i] for i in inspector],
        "registered_on": [FIRST + timedelta(days=int(d)) for d in opened[who]],
        "findings_in_register": _ever(who, found, count),
        "fine_yuan": np.where(found, random.integers(5, 200, rows) * 1000, 0),
        "truth": truth,
    })  # fmt: skip


def _ever(who: Ints, found: Floats, count: int) -> Ints:
    """What a register says today of each enterprise: all its findings, later ones too."""
    return np.bincount(who, found, minlength=count).astype(np.int64)[who]
