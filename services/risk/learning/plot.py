"""The report as one picture."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from services.risk.learning.arrays import Json, Unusable

SCORE, USUAL, REST = "#1d4e89", "#b3541e", "#8a8a8a"


def draw(report: Json, path: Path) -> None:
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(11, 7.5), layout="constrained")
        (found, earlier), (calibrated, windows) = figure.subplots(2, 2)
        _found(found, report)
        _earlier(earlier, report)
        _calibrated(calibrated, report)
        _windows(windows, report)
        figure.suptitle(
            f"{report['scorecard']['name']}: {report['n']:,} inspections, {report['positives']:,} with a finding, "
            f"{report['first']} to {report['last']}",
            fontsize=11,
        )
        try:
            figure.savefig(path, dpi=110)
        except (OSError, ValueError) as error:
            raise Unusable(f"{path}: cannot be written: {error}") from None


def _found(axes: Axes, report: Json) -> None:
    for name, label, colour in (("score", "by score", SCORE), ("business_as_usual", "as it was", USUAL)):
        curve = report["curves"][name]
        axes.plot([i / (len(curve) - 1) for i in range(len(curve))], curve, color=colour, label=label)
    axes.plot([0, 1], [0, 1], color=REST, linestyle=":", label="random")
    axes.axvline(0.5, color=REST, linewidth=0.5)
    axes.set(
        title=f"Findings made: {report['share_first_half']:.0%} in the first half, AUC {report['auc']:.3f}",
        xlabel="share of inspections", ylabel="share of findings",
    )  # fmt: skip
    axes.legend(frameon=False)


def _earlier(axes: Axes, report: Json) -> None:
    rows: Mapping[str, Json] = {
        "this scorecard": report,
        **({"without inspectors": report["without_inspector"]} if "without_inspector" in report else {}),
        **({"known at start": report["known_at_start"]} if "known_at_start" in report else {}),
        **{name.replace("_", " "): one for name, one in report["baselines"].items()},
    }
    names = list(rows)[::-1]
    for place, name in enumerate(names):
        value, edges = rows[name]["windows"]["days_earlier"], rows[name]["intervals"]["windows.days_earlier"]
        axes.barh(place, value or 0.0, color=SCORE if name == "this scorecard" else REST, height=0.6)
        if edges:
            axes.plot(edges, [place, place], color="black", linewidth=1)
    axes.axvline(0, color="black", linewidth=0.5)
    axes.set_yticks(range(len(names)), names)
    axes.set(title="Findings come so much earlier, within 60 days", xlabel="days, with 95 % intervals")


def _calibrated(axes: Axes, report: Json) -> None:
    expected, found = ([part[name] for part in report["calibration"]] for name in ("expected", "found"))
    top = max(*expected, *found) * 1.05
    axes.plot([0, top], [0, top], color=REST, linestyle=":")
    axes.plot(expected, found, color=SCORE, marker="o", markersize=4)
    axes.set(
        title=f"What was said and what came of it: Brier {report['brier']:.4f}",
        xlabel="expected share of findings", ylabel="found",
    )  # fmt: skip


def _windows(axes: Axes, report: Json) -> None:
    parts = [part for part in report["by_window"] if part["days_earlier"] is not None]
    axes.plot(
        [date.fromisoformat(part["from"]) for part in parts],  # type: ignore[arg-type]
        [part["days_earlier"] for part in parts], color=SCORE, marker="o", markersize=4,
    )  # fmt: skip
    axes.axhline(0, color="black", linewidth=0.5)
    axes.tick_params(axis="x", rotation=30)
    axes.set(title="The same, window by window", xlabel="first day of the window", ylabel="days earlier")
