"""Servers as detached processes: launched, found again by a later command, waited for within bounds, and ended."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]

# The command becomes a grandchild in a session of its own: it outlives the caller, leaves it no child to reap, and its
# pid is on file even if the caller dies at this very moment.
LAUNCH = 'pid_file=$1; log=$2; shift 2; "$@" </dev/null >>"$log" 2>&1 & echo $! >"$pid_file"'


class LocalStackError(Exception):
    """Something the person at the keyboard must mend; the message is the sentence that says how."""


def silent(_line: str) -> None:
    """Report no progress."""


def disk_full(where: Path) -> LocalStackError:
    return LocalStackError(f"The disk that holds {where} is full: free some space there, then start again.")


def launch(command: Sequence[str], *, pid_file: Path, log: Path, environment: Mapping[str, str] | None = None) -> None:
    """Start a command detached from the caller. The log of the run before is kept beside it as `<log>.1`."""
    with suppress(FileNotFoundError):
        log.replace(log.with_name(log.name + ".1"))
    shell = ["/bin/sh", "-c", LAUNCH, "launch", str(pid_file), str(log), *command]
    with log.open("ab") as output:
        subprocess.run(
            shell,
            check=True,
            cwd=log.parent,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            timeout=30,
        )


def named(pid_file: Path) -> psutil.Process | None:
    """The living process with the pid that the file begins with."""
    with suppress(OSError, ValueError, IndexError, psutil.Error):
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        if process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def find(pid_file: Path, marker: str) -> psutil.Process | None:
    """The living process that the file names, if `marker` is one of its arguments.

    A pid is used again after a crash or a reboot: a process that is not ours is never signalled.
    """
    process = named(pid_file)
    with suppress(psutil.Error):
        if process is not None and marker in process.cmdline():
            return process
    return None


def wait_until_ready(
    name: str, find_process: Callable[[], psutil.Process | None], ready: Callable[[], bool], log: Path, seconds: float
) -> None:
    """Return when the server answers; raise LocalStackError with its last words when it dies or takes too long."""
    end = time.monotonic() + seconds
    while True:
        process = find_process()
        if process is not None and ready():
            return
        if process is None:
            raise failed(f"{name} ended while it was starting.", log)
        if time.monotonic() > end:
            raise failed(f"{name} did not answer within {seconds:.0f} seconds.", log)
        time.sleep(0.05)


def failed(sentence: str, log: Path) -> LocalStackError:
    """The error to raise for a server or tool that failed, told from its log."""
    lines = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
    if any(os.strerror(errno.ENOSPC) in line for line in lines):
        return disk_full(log.parent)
    return LocalStackError("\n    ".join([f"{sentence} The last lines of {log}:", *(lines or ["(none)"])]))


def end(process: psutil.Process, signal_number: signal.Signals, seconds: float) -> None:
    """Send the signal and wait; what is still there after `seconds` is killed, with its children."""
    with suppress(psutil.NoSuchProcess):
        family = [process, *process.children(recursive=True)]
        process.send_signal(signal_number)
        _, left = psutil.wait_procs(family, timeout=seconds)
        for member in left:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(left, timeout=10)


def kill(process: psutil.Process) -> None:
    """SIGKILL the process and its children at once, as a machine that loses power would."""
    with suppress(psutil.NoSuchProcess):
        family = [process, *process.children(recursive=True)]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(family, timeout=10)
