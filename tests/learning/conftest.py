"""Made-up inspections whose truth is known, small, and a scorecard of them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from services.risk.learning import example, file
from services.risk.learning.arrays import Json
from services.risk.learning.fit import Wanted, fit

TOLD = {"outcome": "found", "date": "date", "entity": "uscc"}


def silent(_: str) -> None:
    """Nobody looks."""


@pytest.fixture(scope="session")
def inspections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `example` writes."""
    folder = tmp_path_factory.mktemp("example")
    example.write(folder, 5_000, 1)
    return folder


@pytest.fixture(scope="session")
def scorecard(inspections: Path) -> Json:
    """With what tells who inspected, and without what leaks."""
    exclude = ["fine_yuan", "findings_in_register"]
    document = fit(Wanted(train=inspections / "train.csv", **TOLD, exclude=exclude), silent)
    file.write(inspections / "scorecard.json", document)
    return document


def written(folder: Path, frame: pl.DataFrame, name: str = "given.csv") -> Path:
    frame.write_csv(folder / name) if name.endswith(".csv") else frame.write_parquet(folder / name)
    return folder / name
