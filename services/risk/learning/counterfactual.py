"""A policy of so many visits per class, replayed over a closed period: what it would have found, spent and spared."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.risk.learning.arrays import Floats, Ints, Json, Say, Unusable
from services.risk.learning.backtest import Asked, clusters, joined, read_test, times
from services.risk.learning.fit import day_of
from services.risk.learning.measures import draws, intervals
from services.risk.learning.model import score_rows

LETTERS = ("A", "B", "C", "D")


@dataclass(frozen=True, slots=True)
class _Replayed:
    """Rows with their class, what came of them, and whether nothing was found at the enterprise in the period."""

    place: Ints
    found: Floats
    good: Floats


def read_policy(path: Path) -> dict[str, float]:
    """Share of the visits to keep, by class: CSV with risk_class,ratio, or JSON {"A": 0.05, ...}. Raises Unusable."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Unusable(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Unusable(f"{path}: is neither CSV nor JSON") from None
    rows = _json_rows(path, text) if text.lstrip().startswith(("{", "[")) else _csv_rows(path, text)
    ratios: dict[str, float] = {}
    for letter, given in rows:
        if letter not in LETTERS or letter in ratios:
            raise Unusable(f"{path}: {letter!r}: the classes are A, B, C and D, each once")
        try:
            ratios[letter] = float(given)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise Unusable(f"{path}: class {letter}: {given!r} is no ratio") from None
        if not 0 <= ratios[letter] <= 1:
            raise Unusable(
                f"{path}: class {letter}: a ratio is from 0 to 1: the share of the visits made that the policy would "
                "make; what a visit more would have found nobody knows"
            )
    if missing := [letter for letter in LETTERS if letter not in ratios]:
        raise Unusable(f"{path}: no ratio for class {', '.join(missing)}")
    return ratios


def _csv_rows(path: Path, text: str) -> list[tuple[str, object]]:
    reader = csv.DictReader(text.splitlines())
    if not {"risk_class", "ratio"} <= set(reader.fieldnames or ()):
        raise Unusable(f"{path}: a policy has the columns risk_class and ratio")
    return [(row["risk_class"], row["ratio"]) for row in reader]


def _json_rows(path: Path, text: str) -> list[tuple[str, object]]:
    try:
        given = json.loads(text)
    except ValueError:
        raise Unusable(f"{path}: is neither CSV nor JSON") from None
    if not isinstance(given, dict):
        raise Unusable(f'{path}: a policy is an object such as {{"A": 0.05, "B": 0.2, "C": 0.5, "D": 1}}')
    return list(given.items())


def counterfactual(document: Json, ratios: dict[str, float], asked: Asked, say: Say) -> Json:
    """The report. Raises Unusable."""
    table, past = read_test(document, asked)
    scored = score_rows(document["features"], table, table if past is None else joined(past, table))
    starts = [band["from_score"] for band in document["bands"]]
    place = np.maximum(np.searchsorted(starts, scored.score, side="right") - 1, 0)
    code = clusters(table)
    good = np.bincount(code, table.found)[code] == 0
    replayed = _Replayed(place, table.found.astype(np.float64), good.astype(np.float64))
    ratio = np.array([ratios[letter] for letter in LETTERS])
    weights = draws(code, times(table.count, asked.draws), asked.seed)
    say(f"{table.count:,} visits, {int(table.found.sum()):,} with a finding; intervals from {len(weights)} draws")
    random = np.random.default_rng(asked.seed)
    drawn = [_outcome(replayed, ratio, w, random) for w in weights]
    expected = _outcome(replayed, ratio, np.ones(table.count, np.int64), None)
    return {
        "n": table.count,
        "positives": int(table.found.sum()),
        "first": day_of(table.day[0]).isoformat(),
        "last": day_of(table.day[-1]).isoformat(),
        "policy": ratios,
        **expected,
        "intervals": intervals({name: [one[name] for one in drawn] for name in expected}),
        "classes": [_of_class(replayed, ratio, i) for i in range(len(LETTERS))],
        "enterprises": "entity" if table.entity is not None else "row",
        "limits": "Only visits that were made are replayed: what others would have found is not known, and enterprises "
        "that knew the policy might have behaved otherwise.",
    }


def _outcome(replayed: _Replayed, ratio: Floats, weight: Ints, random: np.random.Generator | None) -> dict[str, float]:
    """Sums over the visits. With `random` the lots are drawn, else each visit counts by its ratio."""
    chance = ratio[replayed.place]
    kept = weight * chance if random is None else random.binomial(weight, chance)
    visits, findings = float(weight.sum()), float((weight * replayed.found).sum())
    spent, caught = float(kept.sum()), float((kept * replayed.found).sum())
    to_good = float((weight * replayed.good).sum())
    by_lot = findings * spent / visits
    return {
        "violations_found": caught,
        "violations_missed": findings - caught,
        "share_found": caught / findings if findings else 0.0,
        "visits_spent": spent,
        "share_spent": spent / visits,
        "visits_spared": visits - spent,
        "visits_spared_good": to_good - float((kept * replayed.good).sum()),
        "found_by_lot": by_lot,
        "gain_over_lot": caught - by_lot,
    }


def _of_class(replayed: _Replayed, ratio: Floats, place: int) -> Json:
    mine = replayed.place == place
    visits, findings = int(mine.sum()), int(replayed.found[mine].sum())
    return {
        "risk_class": LETTERS[place], "ratio": float(ratio[place]), "visits_made": visits, "violations_made": findings,
        "visits_spent": visits * float(ratio[place]), "violations_found": findings * float(ratio[place]),
        "visits_spared_good": float(replayed.good[mine].sum() * (1 - ratio[place])),
    }  # fmt: skip
