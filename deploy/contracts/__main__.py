"""python -m deploy.contracts write | current | compatible

write       write the generated files, and samples of types and shapes that are new
current     are the generated files what the code says?
compatible  can all readers read all that was ever said, and is there a reader for each event?
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.contracts import events, generated, history, outside, readers


def compatible() -> Iterator[str]:
    said, heard, shapes = events.published(), events.consumed(), history.load()
    yield from events.faults(said, heard)
    yield from outside.faults(said)
    yield from history.incompatible(said, shapes)
    yield from readers.unreadable(said, heard, shapes)
    yield from readers.faults(said, heard, readers.load())


def current() -> Iterator[str]:
    yield from generated.stale(generated.files())
    for path in history.unrecorded(events.published(), history.load()):
        yield f"{path.relative_to(events.CHECKOUT)} is missing: {generated.WRITE}"


def write() -> Iterator[str]:
    """Nothing is written while a version that was said has lost its shape."""
    said, shapes = events.published(), history.load()
    if refused := list(history.incompatible(said, shapes)):
        yield from refused
        return
    samples = history.unrecorded(said, shapes)
    _put(samples)
    for path in samples:
        print(f"A first sample, to be committed and never changed: {path.relative_to(events.CHECKOUT)}")
    wanted = generated.files()
    _put(wanted)
    for path in generated.left_over(wanted):
        path.unlink()


def _put(files: Mapping[Path, str]) -> None:
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


ACTS = {"write": write, "current": current, "compatible": compatible}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.contracts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("act", choices=ACTS)
    found = list(ACTS[parser.parse_args().act]())
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
