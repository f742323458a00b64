"""Tell one story again, shortened if it goes wrong, or run many:
`python -m tests.simulation --seed N [--build NAME] [--whole]`, `python -m tests.simulation --stories N`.
"""

import argparse
import sys
import time

from tests.simulation.builds import BUILDS
from tests.simulation.runs import report, run, shrunk
from tests.simulation.story import tell


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--seed", type=int, help="the story to tell")
    what.add_argument("--stories", type=int, help="run so many on all cores and name those that go wrong")
    parser.add_argument("--build", choices=sorted(BUILDS), default="right")
    parser.add_argument("--whole", action="store_true", help="do not shorten a story that goes wrong")
    asked = parser.parse_args()
    return _tell(asked.seed, asked.build, asked.whole) if asked.seed is not None else _run(asked.stories, asked.build)


def _tell(seed: int, name: str, whole: bool) -> int:
    build = BUILDS[name]
    choices, violation = tell(seed, build)
    if violation is not None and not whole:
        choices = shrunk(choices, build, violation.rule)
    print(report(seed, choices, build))
    return 1 if violation is not None else 0


def _run(stories: int, name: str) -> int:
    began = time.monotonic()
    done = run(stories, name)
    took = time.monotonic() - began
    print(f"{stories} stories, {done.steps.total()} steps, {took:.1f} s; {len(done.failed)} went wrong")
    if done.failed:
        print("seeds:", *done.failed[:20])
    return 1 if done.failed else 0


if __name__ == "__main__":
    sys.exit(main())
