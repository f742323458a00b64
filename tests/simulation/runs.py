"""Many stories at once, and what is made of one that goes wrong: its shortest form, as a person reads it."""

import gc
import multiprocessing
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice

from tests.simulation.builds import BUILDS, Build
from tests.simulation.invariants import Violation
from tests.simulation.story import Choice, replay, tell

SHARE = 2_500  # stories that a process takes at a time


@dataclass(frozen=True, slots=True)
class Failure:
    seed: int
    choices: list[Choice]
    violation: Violation


@dataclass(frozen=True, slots=True)
class Run:
    """`steps`: how often each step was taken. `failed`: the seeds that went wrong."""

    steps: Counter[str]
    failed: list[int]


def run(stories: int, build: str = "right") -> Run:
    """Tell the stories 0 to `stories` - 1 on all cores."""
    seeds = [range(at, min(at + SHARE, stories)) for at in range(0, stories, SHARE)]
    # Spawned, not forked: whoever calls may have threads.
    spawned = multiprocessing.get_context("spawn")
    steps: Counter[str] = Counter()
    failed: list[int] = []
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), spawned, gc.disable) as processes:
        for part in processes.map(_share, seeds, [build] * len(seeds)):
            steps += part.steps
            failed += part.failed
    return Run(steps, failed)


def _share(seeds: range, build: str) -> Run:
    steps: Counter[str] = Counter()
    failed = []
    for seed in seeds:
        choices, violation = tell(seed, BUILDS[build])
        steps.update([choice.step for choice in choices])
        if violation is not None:
            failed.append(seed)
    return Run(steps, failed)


def failures(stories: int, build: Build, wanted: int) -> list[Failure]:
    """The first few of the stories in which the build is caught by the invariant that it must break."""
    told = ((seed, *tell(seed, build)) for seed in range(stories))
    caught = (Failure(*one) for one in told if one[2] is not None and one[2].rule == build.caught_by)
    return list(islice(caught, wanted))


def shrunk(choices: Sequence[Choice], build: Build, rule: str) -> list[Choice]:
    """Delta debugging: no step can be left out, and no choice made plainer, without the rule holding again."""

    def still_fails(story: Sequence[Choice]) -> bool:
        violation = replay(story, build)[1]
        return violation is not None and violation.rule == rule

    story = list(choices)
    while True:
        before = list(story)
        size = max(len(story) // 2, 1)
        while size:
            at = 0
            while at < len(story):
                shorter = story[:at] + story[at + size :]
                if still_fails(shorter):
                    story = shorter
                else:
                    at += size
            size //= 2
        for at in range(len(story)):
            for bit in reversed(range(story[at].r.bit_length())):
                plainer = story[at].r & ~(1 << bit)
                changed = [*story[:at], Choice(story[at].step, plainer), *story[at + 1 :]]
                if plainer != story[at].r and still_fails(changed):
                    story = changed
        if story == before:
            return story


def shortest(found: Sequence[Failure], build: Build) -> Failure:
    """The shortest form of any of these failures."""
    forms = [Failure(one.seed, shrunk(one.choices, build, one.violation.rule), one.violation) for one in found]
    return min(forms, key=lambda one: (len(one.choices), one.seed))


def report(seed: int, choices: Sequence[Choice], build: Build) -> str:
    """A story as a person reads it, and how to see it again."""
    world, violation = replay(choices, build, tells=True)
    steps = ", ".join(f"{step}({r})" if r else step for step, r in choices)
    return "\n".join(
        [
            f"story {seed}, build {build.name}{f': {build.broken}' if build.broken else ''}",
            f"{len(choices)} step(s): {steps}",
            *(f"  {line}" for line in world.history or []),
            f"** {violation}" if violation else "all is well",
            f"see it again: python -m tests.simulation --seed {seed} --build {build.name}",
        ]
    )
