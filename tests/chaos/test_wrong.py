"""Storms over services that are built wrongly: the checker, which finds nothing amiss in right ones, catches each."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chaos.run import run
from chaos.wrong import STORMS, caught, program
from demo.wrong_build import BUILDS


def test_there_is_a_storm_for_every_wrong_build_that_strikes_its_service() -> None:
    assert STORMS.keys() == BUILDS.keys()
    for build, wrong in STORMS.items():
        service = BUILDS[build][0]
        assert all(fault.target in (service, "topics") for fault in wrong.faults), build
        assert program(build) == {service: ("demo.wrong_build", build)}


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.parametrize("build", STORMS)
async def test_a_wrong_build_is_caught_in_its_storm(build: str, tmp_path: Path) -> None:
    said: list[str] = []

    async with asyncio.timeout(600):
        outcome = await run(1, iter(STORMS[build].faults), folder=tmp_path, minutes=3, rate=8.0,
                            programs=program(build), say=said.append)  # fmt: skip

    assert caught(build, outcome), (outcome.report.broken, said)
