"""The protocol holds in every story, and every build that is wrong in one place is caught and explained."""

import os
import subprocess
import sys

import pytest

from tests.simulation.builds import BUILDS, RIGHT, WRONG
from tests.simulation.runs import failures, report, run, shortest, shrunk
from tests.simulation.story import STEPS, replay, tell

FEW, MANY = 10_000, int(os.environ.get("SIMULATION_STORIES", "100000"))
STORIES_TO_CATCH = 20_000
SHORT = 12


@pytest.mark.timeout(900)
@pytest.mark.parametrize("stories", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
def test_the_protocol_holds_in_every_story(stories: int) -> None:
    done = run(stories)
    if done.failed:
        seed = done.failed[0]
        choices, violation = tell(seed)
        assert violation is not None, f"story {seed} went wrong in another process and not here"
        pytest.fail(f"{len(done.failed)} went wrong\n{report(seed, shrunk(choices, RIGHT, violation.rule), RIGHT)}")
    hardly_taken = {step: done.steps[step] for step in STEPS if done.steps[step] < stories // 200}
    assert not hardly_taken, "the stories do not try what they should"


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_build_is_caught_and_its_shortest_story_told(name: str) -> None:
    build = WRONG[name]
    found = failures(STORIES_TO_CATCH, build, wanted=2)
    assert found, f"{build.broken}, and no story shows it"
    for one in found:
        assert str(replay(one.choices, build)[1]) == str(one.violation), f"story {one.seed} is told differently again"
    story = shortest(found, build)
    print(report(story.seed, story.choices, build))
    assert len(story.choices) <= SHORT
    assert replay(story.choices, RIGHT)[1] is None, "the story must be the build's fault"


def test_a_story_is_the_same_each_time_it_is_told() -> None:
    for seed in range(50):
        choices, violation = tell(seed)
        assert violation is None
        assert tell(seed)[0] == choices
        first, again = (replay(choices, RIGHT, tells=True)[0].history for _ in range(2))
        assert first == again


def test_the_seed_that_is_printed_tells_the_story_again() -> None:
    seed = failures(100, BUILDS["no-marks"], wanted=1)[0].seed
    command = [sys.executable, "-m", "tests.simulation", "--seed", str(seed), "--build", "no-marks"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 1
    assert "** effect exactly once" in told.stdout
    assert "all is well" in subprocess.run(
        [*command[:-1], "right"], capture_output=True, text=True, timeout=60, check=False
    ).stdout  # fmt: skip
