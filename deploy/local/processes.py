"""Servers as detached processes: launched, found again by a later command, waited for within bounds, and ended."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]

# The server becomes a grandchild in a session of its own: it outlives the caller and leaves it no child to reap.
# The shell, not the caller, notes its pid, so that none is lost when the caller dies at this very moment.
LAUNCH = """
pid_file=$1; shift
"$@" &
echo $! >"$pid_file" || { kill -9 $!; exit 1; }
"""

DISK_FULL = (os.strerror(errno.ENOSPC), "Check free disk space")
"""How the system says it, and PostgreSQL after a write that was cut short."""

NEARLY_FULL_BYTES = 1 << 20

PORTS = range(20_000, 32_000)
"""Below the range from which Linux and macOS draw the ports of outgoing connections, so that none is lost to one."""


class LocalStackError(Exception):
    """Something that the person at the keyboard must mend; the message is the sentence that says how."""


def silent(_line: str) -> None:
    """Report no progress."""


def launch(command: Sequence[str], *, pid_file: Path, log: Path) -> None:
    """Start a command detached, in the folder of its log. The log of the run before is kept beside it as `<log>.1`."""
    with suppress(FileNotFoundError):
        log.replace(log.with_name(log.name + ".1"))
    launched = _run(["/bin/sh", "-c", LAUNCH, "launch", str(pid_file), *command], log, seconds=30)
    if launched != 0:
        raise failed(f"{command[0]} could not be started.", log)


def run_tool(command: Sequence[str], *, log: Path, seconds: float, sentence: str) -> None:
    """Run a command to its end; raise LocalStackError with `sentence` and the end of its log when it fails."""
    log.unlink(missing_ok=True)
    if _run(command, log, seconds) != 0:
        raise failed(sentence, log)


def _run(command: Sequence[str], log: Path, seconds: float) -> int | None:
    """The exit code, None after a time-out."""
    with log.open("ab") as output, suppress(subprocess.TimeoutExpired):
        return subprocess.run(
            command,
            check=False,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            timeout=seconds,
        ).returncode
    return None


def find(pid_file: Path, marker: str) -> psutil.Process | None:
    """The living process that the file names on its first line, if `marker` is one of its arguments.

    A pid is used again after a crash or a reboot: a process that is not ours is never signalled.
    """
    with suppress(OSError, ValueError, IndexError, psutil.Error):
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        if alive(process) and marker in _arguments(process):
            return process
    return None


def _arguments(process: psutil.Process) -> list[str]:
    """Of a process that is just becoming another program, the kernel shows none for a moment: look again."""
    for _ in range(20):
        if arguments := process.cmdline():
            return list(arguments)
        time.sleep(0.01)
    return []


def alive(process: psutil.Process) -> bool:
    """A zombie is dead, for in a container nobody may come to reap it; but only when its last thread has ended."""
    with suppress(psutil.Error):
        return bool(process.is_running() and (process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1))
    return False


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody listens on now, drawn at random."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        if is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise LocalStackError(f"No port between {PORTS.start} and {PORTS.stop} is free on 127.0.0.1.")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: connections of the run before that still linger do not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind(("127.0.0.1", port))
            probe.listen()
            return True
    return False


def wait_until_ready(
    name: str, find_process: Callable[[], psutil.Process | None], answers: Callable[[], bool], log: Path, seconds: float
) -> None:
    """Return when the server answers; raise LocalStackError with its last words when it dies or takes too long."""
    end_of_patience = time.monotonic() + seconds
    while True:
        if find_process() is None:
            raise failed(f"{name} ended while it was starting.", log)
        if answers():
            return
        if time.monotonic() > end_of_patience:
            raise failed(f"{name} did not answer within {seconds:.0f} seconds.", log)
        time.sleep(0.05)


def end(process: psutil.Process, signal_number: signal.Signals, seconds: float) -> None:
    """Send the signal and wait; what is still there after `seconds` is killed, with its children."""
    with suppress(psutil.NoSuchProcess):
        family = [process, *process.children(recursive=True)]
        process.send_signal(signal_number)
        if not _gone(family, seconds):
            _kill(family)


def kill(process: psutil.Process) -> None:
    """SIGKILL the process and its children at once, as a machine that loses power would."""
    with suppress(psutil.NoSuchProcess):
        _kill([process, *process.children(recursive=True)])


def _kill(family: list[psutil.Process]) -> None:
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    _gone(family, seconds=10)


def _gone(family: Iterable[psutil.Process], seconds: float) -> bool:
    end_of_patience = time.monotonic() + seconds
    while any(alive(member) for member in family):
        if time.monotonic() > end_of_patience:
            return False
        time.sleep(0.02)
    return True


def failed(sentence: str, log: Path) -> LocalStackError:
    """The error to raise for a server or a tool that failed, told from its log."""
    lines = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
    full = any(sign in line for sign in DISK_FULL for line in lines)
    if full or shutil.disk_usage(log.parent).free < NEARLY_FULL_BYTES:  # then the log may not say so
        return disk_full(log.parent)
    return LocalStackError("\n    ".join([f"{sentence} The last lines of {log}:", *(lines or ["(none)"])]))


def disk_full(where: Path) -> LocalStackError:
    return LocalStackError(f"The disk that holds {where} is full: free some space there, then start again.")


@contextmanager
def disk_full_is_told(where: Path) -> Iterator[None]:
    """Turn "no space left" from any step inside into the sentence."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise disk_full(where) from error
        raise
