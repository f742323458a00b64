"""A scorecard held against inspections it has not seen: what it would have found how much earlier, beside baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from services.risk.learning import history, misleading
from services.risk.learning.arrays import Floats, Ints, Json, Mask, Say, Unusable
from services.risk.learning.features import given
from services.risk.learning.fit import day_of
from services.risk.learning.measures import Measure, Windows, draws, intervals, measures
from services.risk.learning.misleading import Warning
from services.risk.learning.model import Scored, score_rows
from services.risk.learning.read import Table, read_table

DRAWS, WORK_AT_MOST, DRAWS_AT_LEAST = 300, 3e7, 40
DECILES = 10
PRIOR_WEIGHT = 2.0  # average inspections that an entity's plain earlier rate is mixed with


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the caller asks for."""

    test: Path
    outcome: str
    date: str
    entity: str | None = None
    history: Path | None = None
    groups: Sequence[str] = ()
    positive: str | None = None
    draws: int = DRAWS
    seed: int = 1


def read_test(document: Json, asked: Asked) -> tuple[Table, Table | None]:
    """The rows to be judged, and the outcomes of before."""
    positive = asked.positive or document["provenance"].get("positive")
    table = read_table(asked.test, asked.outcome, asked.date, asked.entity, positive=positive)
    for name in asked.groups:
        if name not in table.frame.columns:
            raise Unusable(f"--group {name}: {table.path} has no other column of this name")
    if asked.history is None:
        return table, None
    if asked.entity is None:
        raise Unusable("--history is the history of entities: name their column with --entity")
    past = read_table(asked.history, asked.outcome, asked.date, asked.entity, positive=positive)
    return table, past.take(past.day < table.day[0])


def backtest(document: Json, asked: Asked, say: Say) -> Json:
    """The report. Raises Unusable."""
    table, past = read_test(document, asked)
    model = document["features"]
    findings = int(table.found.sum())
    say(f"{table.count:,} rows, {findings:,} with a finding, {day_of(table.day[0])} to {day_of(table.day[-1])}")
    warnings = [*_about_the_data(document, asked, table), *(Warning("data", "", note) for note in table.notes)]
    known = table if past is None else joined(past, table)
    scored = score_rows(model, table, known)
    unused = {one["column"] for one in document["provenance"]["unused"]}
    by_group, of_groups = misleading.groups(table, scored, asked.groups, unused)
    weights = draws(clusters(table), times(table.count, asked.draws), asked.seed)
    say(f"intervals from {len(weights)} draws of {'entities' if table.entity is not None else 'rows'}")
    rivals = _baselines(table, known, document["provenance"])
    report = _measured(measures(scored.score, scored.chance, table.day, table.found), weights)
    report = {"n": table.count, "positives": findings, **report}
    report["baselines"] = {name: _measured(rival, weights) for name, rival in rivals.items()}
    if any(spec["from"] == "history" for spec in model["inputs"]):
        at_start = score_rows(model, table, past)
        report["known_at_start"] = _measured(measures(at_start.score, at_start.chance, table.day, table.found), weights)
    if (other := model.get("without_inspector")) is not None:
        without = score_rows(other, table, known)
        report["without_inspector"] = _measured(
            measures(without.score, without.chance, table.day, table.found), weights
        )
        columns = _inspectors(document)
        warnings.append(Warning("inspector", columns, _by_whom(report)))
    return report | {
        "first": day_of(table.day[0]).isoformat(),
        "last": day_of(table.day[-1]).isoformat(),
        "by_window": _by_window(scored, table),
        "calibration": _calibration(scored, table),
        "groups": by_group,
        "warnings": [one.told() for one in [*warnings, *of_groups]],
        "scorecard": {"name": document["name"], "kind": model["kind"], "learnt_until": document["provenance"]["last"]},
        "curves": _curves(scored, table),
    }


def joined(past: Table, table: Table) -> Table:
    """The outcomes of before and those of the rows themselves: each row sees the older ones."""
    return replace(
        table, frame=pl.DataFrame(), found=np.concatenate([past.found, table.found]),
        day=np.concatenate([past.day, table.day]), entity=_appended(past, table),
    )  # fmt: skip


def _appended(past: Table, table: Table) -> pl.Series | None:
    if past.entity is None or table.entity is None:
        return None
    return pl.concat([past.entity.alias("entity"), table.entity.alias("entity")])


def clusters(table: Table) -> Ints:
    return np.arange(table.count) if table.entity is None else history.codes(table.entity)[0]


def times(count: int, wanted: int) -> int:
    """Fewer draws where rows are so many that each tells much by itself."""
    return int(min(wanted, max(WORK_AT_MOST / count, DRAWS_AT_LEAST)))


def _measured(named: Mapping[str, Measure], weights: Sequence[Ints]) -> Json:
    """Each measure with its interval; those of windows in a part of their own."""
    told: Json = {"windows": {}}
    for name, measure in named.items():
        value = measure(None)
        place, _, short = name.rpartition(".")
        (told["windows"] if place else told)[short] = value if np.isfinite(value) else None
    told["intervals"] = intervals({name: [measure(w) for w in weights] for name, measure in named.items()})
    return told


def _baselines(table: Table, known: Table, provenance: Json) -> dict[str, dict[str, Measure]]:
    rate = provenance["findings"] / provenance["rows"]
    steady = np.full(table.count, rate)
    prior = _prior_rate(table, known)
    chance = steady if prior is None else np.clip(prior * rate, 0.0, 1.0)
    day, found = table.day, table.found
    return {
        "business_as_usual": measures(-day.astype(np.float64), steady, day, found),
        "random": _random(day, found, steady),
        "prior_rate": measures(chance, chance, day, found),
        "perfect": measures(found.astype(np.float64), found.astype(np.float64), day, found),
    }


def _prior_rate(table: Table, known: Table) -> Floats | None:
    """The entity's earlier rate of findings against the average; None where entities are not told."""
    if table.entity is None or known.entity is None:
        return None
    asked, code = history.codes(table.entity, known.entity)
    past = history.Known.of(code, known.day, known.found, windows=())
    return history.rate_against_average(past, asked, table.day, PRIOR_WEIGHT)


def _random(day: Ints, found: Mask, chance: Floats) -> dict[str, Measure]:
    """What any order gives on average, computed and not drawn."""
    windows = Windows.of(np.zeros(len(day)), day, found)

    def gain(weight: Ints | None, at: Ints | slice) -> tuple[float, float]:
        w = np.ones(len(day[at])) if weight is None else weight[at]
        hit = w * found[at]
        return (
            (float((hit * day[at]).sum() - hit.sum() * np.average(day[at], weights=w)), float(hit.sum()))
            if hit.any()
            else (0.0, 0.0)
        )

    def over(weight: Ints | None, parts: Sequence[Ints | slice]) -> float:
        each = [gain(weight, at) for at in parts]
        findings = sum(count for _, count in each)
        return sum(value for value, _ in each) / findings if findings else float("nan")

    return {
        "auc": lambda _: 0.5,
        "brier": measures(chance, chance, day, found)["brier"],
        "share_first_half": lambda _: 0.5,
        "days_earlier": lambda w: over(w, [slice(None)]),
        "windows.share_first_half": lambda _: 0.5,
        "windows.days_earlier": lambda w: over(w, windows.rows),
    }


def _by_window(scored: Scored, table: Table) -> list[Json]:
    windows = Windows.of(scored.score, table.day, table.found)
    told = []
    for start, rows, replay in zip(windows.starts, windows.rows, windows.replays, strict=True):
        earlier, share = replay.days_earlier(), replay.share_first_half()
        told.append({
            "from": day_of(start).isoformat(), "n": len(rows), "positives": int(table.found[rows].sum()),
            "days_earlier": earlier if np.isfinite(earlier) else None,
            "share_first_half": share if np.isfinite(share) else None,
        })  # fmt: skip
    return told


def _calibration(scored: Scored, table: Table) -> list[Json]:
    """What was said and what came of it, in tenths of the rows by what was said."""
    order = np.argsort(scored.chance, kind="stable")
    return [
        {"n": len(part), "expected": float(scored.chance[part].mean()), "found": float(table.found[part].mean())}
        for part in np.array_split(order, DECILES)
        if len(part)
    ]


def _curves(scored: Scored, table: Table) -> Json:
    """Share of the findings made after each hundredth of the inspections, in the order of the score and as it was."""
    at = np.linspace(0, table.count, 101).astype(int)

    def along(order: Ints) -> list[float]:
        hits = np.concatenate([[0], np.cumsum(table.found[order])])
        return [round(float(value), 4) for value in hits[at] / hits[-1]]

    return {
        "score": along(np.argsort(-scored.score, kind="stable")),
        "business_as_usual": along(np.arange(table.count)),
    }


def _about_the_data(document: Json, asked: Asked, table: Table) -> list[Warning]:
    told = []
    provenance = document["provenance"]
    if table.day[0] <= (date.fromisoformat(provenance["last"]) - date(1970, 1, 1)).days:
        told.append(
            Warning("data", "", f"the test begins before the learning ends ({provenance['last']}): it is no test")
        )
    uses = any(spec["from"] == "history" for spec in document["features"]["inputs"])
    if uses and asked.history is None:
        told.append(Warning("data", "", "without --history an entity's past begins with this file"))
    if asked.entity is None:
        told.append(Warning("data", "", "without --entity there is no prior_rate: it is the same for all"))
    told += _hardly_there(document["features"]["inputs"], table)
    told += [
        Warning(one["kind"], one["column"], one["text"])
        for one in provenance["warnings"]
        if one["kind"] in {"leak_suspected", "frozen", "day_not_enterprise"}
        and one["column"] in {spec["feature"] for spec in document["features"]["inputs"]}
    ]
    return told


def _hardly_there(inputs: Sequence[Json], table: Table) -> list[Warning]:
    """Columns that say much less here than where the scorecard was learnt."""
    told = []
    for spec in inputs:
        if spec["from"] == "history":
            continue
        here = given(spec, table)
        if here < spec["given"] / 2:
            text = (
                f"has a value that the scorecard knows in {here:.0%} of rows, and had in {spec['given']:.0%} where it "
                "was learnt: is it written in the same way?"
            )
            told.append(Warning("data", spec["feature"], text))
    return told


def _inspectors(document: Json) -> str:
    return next((one["column"] for one in document["provenance"]["warnings"] if one["kind"] == "inspector"), "")


def _by_whom(report: Json) -> str:
    both = [(one["auc"], one["days_earlier"]) for one in (report, report["without_inspector"])]
    (auc, days), (auc_without, days_without) = both
    return (
        f"tells who inspected. With it AUC {auc:.3f}, {days:.1f} days earlier; without {auc_without:.3f}, "
        f"{days_without:.1f} days: the difference is about inspectors, not enterprises"
    )
