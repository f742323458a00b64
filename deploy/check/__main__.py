"""python -m deploy.check [GATE ...]: run the gates, two at a time; exit 0 when all hold."""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from deploy.check.gates import CHECKOUT, GATES, Gate

AT_ONCE = 2
FAREWELL_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Outcome:
    gate: Gate
    holds: bool
    seconds: float
    output: str


def run(gate: Gate) -> Outcome:
    """Run one gate within its time."""
    began = time.monotonic()
    process = subprocess.Popen(
        gate.command,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    try:
        output, late = process.communicate(timeout=gate.seconds)[0], ""
    except subprocess.TimeoutExpired:
        output, late = _interrupted(process), f"\nNot done after {gate.seconds:.0f} seconds."
    return Outcome(gate, process.returncode == 0 and not late, time.monotonic() - began, output + late)


def _interrupted(process: subprocess.Popen[str]) -> str:
    """End a gate as Ctrl-C does, so that it puts away what it has started; kill it where it does not."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=FAREWELL_SECONDS)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


def check(gates: Sequence[Gate], console: Console) -> bool:
    """Run these gates and tell of each in one line, of failing ones all they say. The slowest starts first."""
    began = time.monotonic()
    broken: list[Outcome] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        longest_first = sorted(gates, key=lambda gate: -gate.seconds)
        running = {gate: pool.submit(run, gate) for gate in longest_first}
        for outcome in (running[gate].result() for gate in gates):
            sign = Text("holds  ", "green") if outcome.holds else Text("BROKEN ", "bold red")
            console.print(sign, f"{outcome.gate.name:<11}{outcome.gate.holds:<50}{outcome.seconds:>6.1f} s", sep="")
            if not outcome.holds:
                broken.append(outcome)
    for outcome in broken:
        console.rule(f"{outcome.gate.name}: {outcome.gate.holds}", align="left", style="red")
        console.print(outcome.output.rstrip(), markup=False, highlight=False, soft_wrap=True)
    console.print(f"{len(gates) - len(broken)} of {len(gates)} gates hold, {time.monotonic() - began:.1f} s")
    return not broken


def main() -> int:
    by_name = {gate.name: gate for gate in GATES}
    parser = argparse.ArgumentParser(prog="python -m deploy.check", description=__doc__)
    parser.add_argument("gates", nargs="*", metavar="GATE", help=", ".join(by_name))
    given = parser.parse_args().gates
    if unknown := [name for name in given if name not in by_name]:
        parser.error(f"no gate is called {', '.join(unknown)}; there are {', '.join(by_name)}")
    try:
        return 0 if check([by_name[name] for name in given] or GATES, Console(highlight=False)) else 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
