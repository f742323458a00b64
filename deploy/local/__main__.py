"""python -m deploy.local start | stop | status | clean | env | lock"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from functools import partial
from pathlib import Path

from deploy.local import jars, stack
from deploy.local.processes import LocalStackError

NOT_RUNNING = 3
"""What `status` and `env` exit with when a server does not run, as init scripts do."""


def start(root: Path) -> int:
    began = time.monotonic()
    running = stack.ensure_running(root, say=partial(print, flush=True))
    print(f"Kafka       {running.bootstrap_servers}")
    print(f"PostgreSQL  {running.database_url}")
    print(f"Issuer      {running.issuer_url}")
    print(f"Ready after {time.monotonic() - began:.1f} s.")
    return 0


def stop(root: Path) -> int:
    stack.stop(root)
    print("Stopped.")
    return 0


def status(root: Path) -> int:
    rows = stack.status(root)
    for row in rows:
        state = "given" if row.given else f"running (pid {row.pid})" if row.ready else "not running"
        print(f"{row.name:<11} {state:<20} {row.address}")
    return 0 if all(row.ready for row in rows) else NOT_RUNNING


def clean(root: Path) -> int:
    stack.clean(root)
    print("Removed .local/.")
    return 0


def env(root: Path) -> int:
    """For `eval "$(python -m deploy.local env)"`."""
    rows = stack.status(root)
    if not all(row.ready for row in rows):
        print("The local stack does not run: `python -m deploy.local start` starts it.", file=sys.stderr)
        return NOT_RUNNING
    for variable, row in zip(stack.GIVEN.values(), rows, strict=True):
        print(f"export {variable}={shlex.quote(row.address)}")
    return 0


def lock(_root: Path) -> int:
    print(f"Locked {jars.lock()} jars.")
    return 0


COMMANDS = {
    "start": (start, "start Kafka, PostgreSQL and the issuer where they do not run yet"),
    "stop": (stop, "stop them; their data stays"),
    "status": (status, "say what runs and where"),
    "clean": (clean, "stop them and remove .local/ with all data"),
    "env": (env, "print the addresses as shell exports"),
    "lock": (lock, "resolve jgo.toml again and write jgo.lock.toml"),
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=stack.__doc__)
    parser.add_argument("--root", type=Path, default=stack.CHECKOUT, help="keep .local/ there (default: this checkout)")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, text) in COMMANDS.items():
        commands.add_parser(name, help=text)
    given = parser.parse_args(arguments)
    try:
        return COMMANDS[given.command][0](given.root)
    except LocalStackError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or given.root}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
