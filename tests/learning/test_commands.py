"""The commands as people type them, on the generated example."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from deploy.check.gates import CHECKOUT
from services.risk.learning.arrays import Json
from services.risk.learning.commands import main

COLUMNS = ["--outcome", "found", "--date", "date", "--entity", "uscc"]


@pytest.fixture(scope="module")
def report(inspections: Path, scorecard: Json) -> Json:
    arguments = ["backtest", str(inspections / "scorecard.json"), str(inspections / "test.csv"), *COLUMNS,
                 "--history", str(inspections / "train.csv"), "--out", str(inspections / "report.json"),
                 "--plot", str(inspections / "report.png")]  # fmt: skip
    assert main(arguments) == 0
    return json.loads((inspections / "report.json").read_text())


def test_a_report_has_every_measure_with_its_interval_and_the_same_for_each_baseline(report: Json) -> None:
    named = {"auc", "brier", "share_first_half", "days_earlier"}
    parts = [report, report["known_at_start"], report["without_inspector"], *report["baselines"].values()]
    assert set(report["baselines"]) == {"business_as_usual", "random", "prior_rate", "perfect"}
    for part in parts:
        assert named <= set(part)
        assert {"share_first_half", "days_earlier"} == set(part["windows"])
        assert named | {"windows.share_first_half", "windows.days_earlier"} == set(part["intervals"])
        for name in named:
            low, high = part["intervals"][name]
            assert low - 1e-9 <= part[name] <= high + 1e-9 or part is not report
    assert report["n"] == sum(one["n"] for one in report["calibration"])
    assert 0 < report["positives"] < report["n"]


def test_baselines_are_where_they_must_be(report: Json) -> None:
    usual, random, prior, perfect = (
        report["baselines"][name] for name in ("business_as_usual", "random", "prior_rate", "perfect")
    )
    assert usual["days_earlier"] == 0.0
    assert (random["auc"], random["share_first_half"]) == (0.5, 0.5)
    assert abs(random["days_earlier"]) < 15
    assert (perfect["auc"], perfect["brier"], perfect["share_first_half"]) == (1.0, 0.0, 1.0)
    assert 0.5 < prior["auc"] < report["auc"] < perfect["auc"]
    assert 0 < report["days_earlier"] < perfect["days_earlier"]
    assert 0 < report["windows"]["days_earlier"] < perfect["windows"]["days_earlier"] < 30


def test_there_is_a_picture(inspections: Path, report: Json) -> None:
    assert (inspections / "report.png").read_bytes().startswith(b"\x89PNG")


def test_fit_and_a_replayed_policy(inspections: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card, told = tmp_path / "scorecard.json", tmp_path / "told.json"
    train = [str(inspections / "train.csv"), *COLUMNS]
    assert main(["fit", *train, "--live", "--monotone", "penalties_3y:+", "--out", str(card)]) == 0
    said = capsys.readouterr()
    assert "POST /v1/scorecards takes it as a draft" in said.out
    assert "not used: fine_yuan" in said.err
    assert re.search(r"^ +\d+\.\d s  points, .* AUC 0\.\d+ on later rows$", said.err, re.MULTILINE)  # progress
    replay = [str(card), str(inspections / "policy.csv"), str(inspections / "test.csv"), *COLUMNS]
    assert main(["counterfactual", *replay, "--history", train[0], "--out", str(told)]) == 0
    report = json.loads(told.read_text())
    for name in ("violations_found", "visits_spent", "visits_spared_good"):
        low, high = report["intervals"][name]
        assert low <= report[name] <= high
    assert report["gain_over_lot"] > 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fit", "{}/none.csv", "--out", "{}/x.json"], "none.csv: there is no such file"),
        (["fit", "{}/train.csv", "--out", "{}/no/x.json"], "cannot be written"),
        (["backtest", "{}/scorecard.json", "{}/test.csv", "--out", "{}"], "cannot be written"),
        (
            ["backtest", "{}/scorecard.json", "{}/test.csv", "--out", "{}/r.json", "--plot", "{}/no/r.png"],
            "r.png: cannot",
        ),
        (["backtest", "{}/policy.csv", "{}/test.csv", "--out", "{}/r.json"], "policy.csv: is not JSON"),
        (["backtest", "{}/else.json", "{}/test.csv", "--out", "{}/r.json"], "was not made by `fit`"),
        (["backtest", "{}/scorecard.json", "{}/narrow.csv", "--out", "{}/r.json"], "there is no column penalties_3y"),
        (["backtest", "{}/scorecard.json", "{}/kindless.csv", "--out", "{}/r.json"], "there is no column kind"),
        (["backtest", "{}/half.json", "{}/test.csv", "--out", "{}/r.json"], "was not made by `fit`"),
        (["backtest", "{}/scorecard.json", "{}/clean.csv", "--out", "{}/r.json"], "same outcome (0), so that there is"),
        (["backtest", "{}/scorecard.json", "{}/test.csv", "--group", "nil", "--out", "{}/r.json"], "--group nil: "),
        (["fit", "{}/train.csv", "--keep", "nil", "--out", "{}/x.json"], "--keep nil: "),
        (["fit", "{}/train.csv", "--inspector", "nil", "--out", "{}/x.json"], "--inspector nil: "),
        (["fit", "{}/train.csv", "--entity", "found", "--out", "{}/x.json"], "two of them are the same"),
        (["fit", "{}", "--out", "{}/x.json"], ": is a folder"),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    inspections: Path, scorecard: Json, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (inspections / "else.json").write_text('{"name": "x"}')
    (inspections / "half.json").write_text(json.dumps(scorecard | {"provenance": {}}))
    pl.read_csv(inspections / "test.csv").with_columns(found=0).write_csv(inspections / "clean.csv")
    pl.read_csv(inspections / "test.csv").drop("penalties_3y").write_csv(inspections / "narrow.csv")
    pl.read_csv(inspections / "test.csv").drop("kind").write_csv(inspections / "kindless.csv")
    command, *rest = [one.format(inspections) for one in arguments]
    assert main([command, *COLUMNS, *rest]) == 1
    *before, said = capsys.readouterr().err.splitlines()
    assert said.startswith(f"{command}: ")
    assert not any("AUC" in line for line in before)  # nobody waits for it
    assert says in said


def test_columns_that_say_less_than_where_they_were_learnt_are_named(
    inspections: Path, scorecard: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = pl.read_csv(inspections / "test.csv").with_columns(penalties_3y=pl.lit("many"), kind=pl.lit("new"))
    strange.write_csv(tmp_path / "strange.csv")
    card, out = str(inspections / "scorecard.json"), str(tmp_path / "report.json")
    assert main(["backtest", card, str(tmp_path / "strange.csv"), *COLUMNS, "--out", out]) == 0
    warned = [line for line in capsys.readouterr().out.splitlines() if "is it written in the same way?" in line]
    assert [line.split(": ")[1] for line in warned] == ["penalties_3y", "kind"]


@pytest.mark.parametrize("arguments", [["--rows", "-5"], ["--rows", "many"]])
def test_the_example_wants_a_number_of_rows(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["example", str(tmp_path / "new"), *arguments])
    assert "is not a number from 1 on" in capsys.readouterr().err


def test_the_example_wants_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["example", str(tmp_path / "file")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_the_entry_point_starts_the_tool_and_a_wrong_option_is_told() -> None:
    run = [sys.executable, "-m", "services.risk", "fit", "x.csv"]
    ended = subprocess.run(run, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=170)
    assert ended.returncode == 2
    assert "--outcome" in ended.stderr
