"""The commands: fit, backtest, counterfactual, example. What goes wrong is one sentence and exit code 1."""

import argparse
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table as Shown

from services.risk.learning import example, file
from services.risk.learning.arrays import Json, Unusable
from services.risk.learning.backtest import Asked, backtest
from services.risk.learning.bands import Bands
from services.risk.learning.counterfactual import counterfactual, read_policy
from services.risk.learning.fit import Wanted, fit
from services.risk.learning.plot import draw

out = Console(highlight=False, width=120, soft_wrap=True)
beside = Console(stderr=True, highlight=False, width=120, soft_wrap=True)


class Progress:
    """What is being done, with the seconds so far, beside the output."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, what: str) -> None:
        beside.print(f"{time.monotonic() - self._began:7.1f} s  {what}", markup=False)


def main(arguments: Sequence[str]) -> int:
    given = _parser().parse_args(arguments)
    try:
        given.act(given, Progress())
    except Unusable as error:
        beside.print(f"{given.command}: {error}", markup=False)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.risk", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    learn = commands.add_parser("fit", help="inspections with their results become a scorecard")
    learn.add_argument("train", type=Path, help="CSV or Parquet: a row for each inspection")
    _columns(learn)
    learn.add_argument("--exclude", action="extend", nargs="+", default=[], metavar="COL", help="do not learn from it")
    learn.add_argument("--keep", action="extend", nargs="+", default=[], metavar="COL", help="though it seems to leak")
    learn.add_argument("--inspector", action="extend", nargs="+", default=[], metavar="COL", help="tells who inspected")
    learn.add_argument("--monotone", action="append", default=[], type=_monotone, metavar="COL:+|-",
                       help="more of it never lowers (+) or never raises (-) the risk")  # fmt: skip
    learn.add_argument("--model", choices=["points", "boosted"], default="points")
    learn.add_argument("--indicators", type=_counted, default=20, metavar="N", help="at most so many (points)")
    learn.add_argument("--live", action="store_true", help="only what the live service can score")
    learn.add_argument("--name", help="of the scorecard: lower-case letters, digits, hyphens")
    learn.add_argument("--valid-from", type=date.fromisoformat, metavar="DATE")
    learn.add_argument("--out", type=Path, required=True, metavar="scorecard.json")
    learn.set_defaults(act=_fit)

    test = commands.add_parser("backtest", help="hold a scorecard against later inspections")
    test.add_argument("scorecard", type=Path)
    _tested(test)
    test.add_argument("--group", action="extend", nargs="+", default=[], metavar="COL", help="compare its groups")
    test.add_argument("--out", type=Path, required=True, metavar="report.json")
    test.add_argument("--plot", type=Path, metavar="report.png")
    test.set_defaults(act=_backtest)

    replay = commands.add_parser("counterfactual", help="replay a policy of so many visits per class")
    replay.add_argument("scorecard", type=Path)
    replay.add_argument("policy", type=Path, help='CSV with risk_class,ratio or JSON {"A": 0.05, ...}')
    _tested(replay)
    replay.add_argument("--out", type=Path, metavar="report.json")
    replay.set_defaults(act=_counterfactual)

    made = commands.add_parser("example", help="write made-up inspections whose truth is known")
    made.add_argument("folder", type=Path)
    made.add_argument("--rows", type=_counted, default=12_000)
    made.add_argument("--seed", type=int, default=1)
    made.set_defaults(act=_example)
    return parser


def _columns(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--outcome", required=True, metavar="COL", help="1 or yes where something was found")
    parser.add_argument("--date", required=True, metavar="COL", help="of the inspection")
    parser.add_argument("--entity", metavar="COL", help="who was inspected: gives each row its history")
    parser.add_argument("--positive", metavar="VALUE", help="of the outcome, where it is not 0 and 1")
    parser.add_argument("--seed", type=int, default=1)


def _tested(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("test", type=Path, help="CSV or Parquet: later inspections")
    _columns(parser)
    parser.add_argument("--history", type=Path, metavar="TRAIN", help="earlier inspections of the same entities")


def _counted(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _monotone(text: str) -> tuple[str, int]:
    name, _, sign = text.rpartition(":")
    if not name or sign not in {"+", "-"}:
        raise argparse.ArgumentTypeError(f"{text!r} is not COL:+ or COL:-")
    return name, 1 if sign == "+" else -1


def _fit(given: argparse.Namespace, say: Progress) -> None:
    file.writable(given.out)
    document = fit(
        Wanted(
            train=given.train, outcome=given.outcome, date=given.date, entity=given.entity, exclude=given.exclude,
            keep=given.keep, inspector=given.inspector, monotone=given.monotone, positive=given.positive,
            model=given.model, indicators=given.indicators, live=given.live, name=given.name,
            valid_from=given.valid_from, seed=given.seed,
        ),
        say,
    )  # fmt: skip
    file.write(given.out, document)
    features = document["features"]
    if features["kind"] == "points":
        out.print(_points_shown(document))
    _warn(document["provenance"]["warnings"])
    if document["rules"]:
        out.print(f"{given.out}: {len(document['rules'])} rules; POST /v1/scorecards takes it as a draft")
    else:
        reasons = [f"{one['feature']}: {one['reason']}" for one in features["not_loadable"]]
        out.print(f"{given.out}: the live service cannot load it:", markup=False)
        for reason in reasons:
            out.print(f"  {reason}", markup=False)


def _points_shown(document: Json) -> Shown:
    shown = Shown("indicator", "band", "points", "rows", "with a finding", title=document["name"], title_justify="left")
    for term in sorted(document["features"]["terms"], key=lambda one: -max(*one["points"], one["missing"])):
        *bands, missing = Bands(np.array(term["cuts"]), np.zeros(0)).labels
        labels = [*([_levels(levels) for levels in term["levels"]] if "levels" in term else bands), missing]
        for i, (label, points) in enumerate(zip(labels, [*term["points"], term["missing"]], strict=True)):
            if rows := term["rows"][i]:
                share = f"{term['findings'][i] / rows:.1%}"
                shown.add_row(term["feature"] if i == 0 else "", label, str(points), f"{rows:,}", share)
    return shown


def _levels(levels: Sequence[str]) -> str:
    return ", ".join(levels[:4]) + (f" and {len(levels) - 4} more" if len(levels) > 4 else "")


def _backtest(given: argparse.Namespace, say: Progress) -> None:
    file.writable(given.out, given.plot)
    report = backtest(file.read_scorecard(given.scorecard), _asked(given), say)
    file.write(given.out, report)
    shown = Shown("", "AUC", "Brier", "found in first half", "days earlier", "within 60 days")
    parts = {"this scorecard": report}
    parts |= {
        name.replace("_", " "): report[name] for name in ("without_inspector", "known_at_start") if name in report
    }
    parts |= {name.replace("_", " "): part for name, part in report["baselines"].items()}
    for name, part in parts.items():
        shown.add_row(
            name, _figure(part, "auc", ".3f"), _figure(part, "brier", ".4f"), _figure(part, "share_first_half", ".1%"),
            _figure(part, "days_earlier", ".1f"), _figure(part, "windows.days_earlier", ".1f"),
        )  # fmt: skip
    out.print(shown)
    _warn(report["warnings"])
    if given.plot:
        draw(report, given.plot)
        say(f"drawn to {given.plot}")


def _figure(part: Json, name: str, form: str) -> str:
    inside, _, short = name.rpartition(".")
    value, edges = (part[inside] if inside else part)[short], part["intervals"][name]
    if value is None:
        return "-"
    return f"{value:{form}}" + (f" ({edges[0]:{form}} to {edges[1]:{form}})" if edges else "")


def _counterfactual(given: argparse.Namespace, say: Progress) -> None:
    file.writable(given.out)
    ratios = read_policy(given.policy)
    report = counterfactual(file.read_scorecard(given.scorecard), ratios, _asked(given), say)
    if given.out:
        file.write(given.out, report)
    shown = Shown(
        "class", "ratio", "visits made", "violations made", "visits spent", "violations found", "spared, good"
    )
    for one in report["classes"]:
        shown.add_row(
            one["risk_class"], f"{one['ratio']:g}", f"{one['visits_made']:,}", f"{one['violations_made']:,}",
            f"{one['visits_spent']:,.0f}", f"{one['violations_found']:,.0f}", f"{one['visits_spared_good']:,.0f}",
        )  # fmt: skip
    out.print(shown)
    for name in ("violations_found", "visits_spent", "visits_spared_good", "gain_over_lot"):
        low, high = report["intervals"][name]
        out.print(f"{name.replace('_', ' ')}: {report[name]:,.0f} ({low:,.0f} to {high:,.0f})")
    out.print(report["limits"], markup=False)


def _asked(given: argparse.Namespace) -> Asked:
    return Asked(
        test=given.test, outcome=given.outcome, date=given.date, entity=given.entity, history=given.history,
        groups=getattr(given, "group", ()), positive=given.positive, seed=given.seed,
    )  # fmt: skip


def _example(given: argparse.Namespace, say: Progress) -> None:
    for path in example.write(given.folder, given.rows, given.seed):
        say(f"{path}")


def _warn(warnings: Sequence[Json]) -> None:
    for one in warnings:
        out.print(f"Warning ({one['kind']}): {one['column']}: {one['text']}".replace(": :", ":"), markup=False)
