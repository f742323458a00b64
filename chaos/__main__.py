"""python -m chaos [--seed N] [--minutes M] [--faults N]: break everything on purpose while it is used, and prove that
nothing was lost, doubled or put out of order. Exit 0 only if all of it holds.

python -m chaos --wrong BUILD: the same with a service that is built wrongly on purpose, under the faults that bring its
mistake to light. Exit 0 only if the checker finds it."""

from __future__ import annotations

import argparse
import logging
import sys
from itertools import islice

import uvloop
from rich.console import Console

from chaos.cluster import forget
from chaos.document import text
from chaos.faults import every_fault, one_of_each_kind, schedule
from chaos.run import AT_ONCE, run
from chaos.wrong import STORMS, caught, program
from demo.wrong_build import BUILDS
from deploy.local.stack import CHECKOUT

FOLDER = CHECKOUT / ".local" / "chaos"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the same seed breaks the same things in the same order")
    parser.add_argument("--minutes", type=float, default=30.0, help="no fault begins after that")
    parser.add_argument("--faults", type=int, help="how many, if the time allows; each one once, if not given")
    parser.add_argument("--only", nargs="+", default=(), help="words: faults that are called by one of them, or hit it")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="how many may be under way at the same time")
    parser.add_argument("--rate", type=float, default=10.0, help="acts of users a second")
    parser.add_argument("--kinds", action="store_true", help="one fault of each kind")
    parser.add_argument("--wrong", choices=BUILDS, help="run a service that is built wrongly, and see it caught")
    given = parser.parse_args()
    console = Console()
    folder = FOLDER / (given.wrong or f"seed-{given.seed}")
    forget(folder)
    folder.mkdir(parents=True)
    logging.basicConfig(filename=folder / "chaos.log", level=logging.WARNING)
    if given.wrong:
        faults, programs = iter(STORMS[given.wrong].faults), program(given.wrong)
    elif given.kinds:
        faults, programs = iter(one_of_each_kind(given.seed)), {}
    else:
        told = (one for one in schedule(given.seed) if not given.only or any(word in str(one) for word in given.only))
        faults, programs = islice(told, given.faults or len(every_fault())), {}
    outcome = uvloop.run(
        run(given.seed, faults, folder=folder, minutes=given.minutes, at_once=given.at_once, rate=given.rate,
            programs=programs, say=lambda line: console.print(line, highlight=False, soft_wrap=True))
    )  # fmt: skip
    (folder / "outcome.json").write_text(outcome.as_json(), encoding="utf-8")
    (folder / "outcome.md").write_text(text(outcome, f"python -m chaos {' '.join(sys.argv[1:])}"), encoding="utf-8")
    outcome.print(console)
    if given.wrong:
        found = caught(given.wrong, outcome)
        console.print(f"{given.wrong}: {'caught' if found else 'NOT caught'} by {sorted(outcome.report.broken)}")
        return 0 if found else 1
    if outcome.complaints:
        console.print(f"Logs and record: {folder}. Once more: python -m chaos {' '.join(sys.argv[1:])}", soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
