"""The stack of a checkout: one Kafka, one PostgreSQL and one issuer of demo logins, found or started, and shared by
tests, demo and services."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from deploy.local import issuer, jars, kafka, postgres
from deploy.local.issuer import Issuer
from deploy.local.kafka import Kafka
from deploy.local.postgres import Postgres
from deploy.local.processes import LocalStackError, disk_full_is_told, silent

CHECKOUT = Path(__file__).parents[2]

LOCK_SECONDS = 600.0
"""Longer than a first start on a slow line: whoever waits for the lock waits for that start."""

FREE_BYTES = 512 << 20
"""What must be free before a start: the write-ahead log, the first Kafka segments and room for a demo."""


@dataclass(frozen=True, slots=True)
class Stack:
    bootstrap_servers: str
    database_url: str
    """An administrator's URL; services get databases and roles of their own from it."""
    issuer_url: str = field(default_factory=lambda: os.environ.get("OIDC_ISSUER") or issuer.of(CHECKOUT).url)
    """Who vouches for callers; the checkout's issuer where nothing else is said."""


Server = Kafka | Postgres | Issuer
GIVEN = {Kafka: "KAFKA_BOOTSTRAP_SERVERS", Postgres: "DATABASE_URL", Issuer: "OIDC_ISSUER"}
"""The variables that name a server to use instead of an own one."""


@dataclass(frozen=True, slots=True)
class PrivateStack:
    kafka: Kafka
    postgres: Postgres

    @property
    def stack(self) -> Stack:
        return Stack(self.kafka.bootstrap_servers, self.postgres.url)


@dataclass(frozen=True, slots=True)
class ServerStatus:
    name: str
    address: str
    pid: int | None
    ready: bool
    given: bool = False
    """Named by the environment, not started here; whether it is ready is not for us to say."""


def ensure_running(root: Path = CHECKOUT, say: Callable[[str], None] = silent, free_bytes: int = FREE_BYTES) -> Stack:
    """The servers of this checkout, started where they do not run yet; safe to call from many processes at once.

    `KAFKA_BOOTSTRAP_SERVERS`, `DATABASE_URL` and `OIDC_ISSUER` point to servers to use instead; for them nothing is
    started. Raises LocalStackError with the sentence that says what to do.
    """
    brokers, database, vouches = (os.environ.get(variable) for variable in GIVEN.values())
    if brokers and database and vouches:
        return Stack(brokers, database, vouches)
    with disk_full_is_told(_state(root)), _locked(root) as state:
        own_kafka = None if brokers else kafka.in_folder(state / "kafka")
        own_postgres = None if database else postgres.in_folder(state / "postgres")
        own_issuer = None if vouches else issuer.in_folder(state / "issuer")
        own = [server for server in (own_kafka, own_postgres, own_issuer) if server is not None]
        _start([server for server in own if not (server.process() and server.answers())], state, say, free_bytes)
        return Stack(
            brokers or (own_kafka.bootstrap_servers if own_kafka else ""),
            database or (own_postgres.url if own_postgres else ""),
            vouches or (own_issuer.url if own_issuer else ""),
        )


def servers(root: Path = CHECKOUT) -> list[Server]:
    """This checkout's own servers, running or not: those that were once started here."""
    state = _state(root)
    found: list[Server] = []
    if (state / "kafka").exists():
        found.append(kafka.in_folder(state / "kafka"))
    if (state / "postgres").exists():
        found.append(postgres.in_folder(state / "postgres"))
    if (state / "issuer").exists():
        found.append(issuer.in_folder(state / "issuer"))
    return found


def stop(root: Path = CHECKOUT) -> None:
    """Stop the servers that this checkout started; their data stays."""
    if _state(root).exists():
        with _locked(root):
            _at_once([server.stop for server in servers(root)])


def status(root: Path = CHECKOUT) -> list[ServerStatus]:
    """One row for Kafka, one for PostgreSQL, one for the issuer; starts and creates nothing."""
    rows = []
    own = {type(server): server for server in servers(root)}
    for (kind, variable), name in zip(GIVEN.items(), ("Kafka", "PostgreSQL", "Issuer"), strict=True):
        server = own.get(kind)
        if given := os.environ.get(variable):
            rows.append(ServerStatus(name, given, None, ready=True, given=True))
        elif server is None:
            rows.append(ServerStatus(name, "", None, ready=False))
        else:
            running = server.process()
            address = server.bootstrap_servers if isinstance(server, Kafka) else server.url
            rows.append(ServerStatus(name, address, running and running.pid, bool(running) and server.answers()))
    return rows


def clean(root: Path = CHECKOUT) -> None:
    """Stop the servers and remove `.local/` with all their data."""
    if _state(root).exists():
        with _locked(root) as state:
            own = servers(root)
            _at_once([server.kill for server in own])  # their data goes with them
            for server in own:
                if isinstance(server, Postgres) and server.socket_folder != server.folder:
                    shutil.rmtree(server.socket_folder, ignore_errors=True)
            shutil.rmtree(state)


@contextmanager
def private_stack(folder: Path, say: Callable[[str], None] = silent) -> Iterator[PrivateStack]:
    """An own Kafka and PostgreSQL on free ports, for tests that kill them; gone at the end, their folder stays.
    Callers are vouched for by the checkout's issuer."""
    private = PrivateStack(kafka.in_folder(folder / "kafka"), postgres.in_folder(folder / "postgres"))
    try:
        with disk_full_is_told(folder):
            _start([private.kafka, private.postgres], folder, say, FREE_BYTES)
        yield private
    finally:
        _at_once([private.kafka.kill, private.postgres.kill])


def _start(idle: list[Server], state: Path, say: Callable[[str], None], free_bytes: int) -> None:
    """Start them side by side; when one fails, none of them is left behind."""
    if not idle:
        return
    if shutil.disk_usage(state).free < free_bytes:
        raise LocalStackError(
            f"Less than {free_bytes >> 20} MiB are free on the disk that holds {state}: "
            "free some space there, then start again."
        )
    try:
        if any(isinstance(server, Kafka) for server in idle):
            jars.class_path(say)  # what is most likely to fail, before anything runs
        _at_once([partial(server.start, say) for server in idle])
    except BaseException:
        _at_once([server.kill for server in idle])
        raise


def _at_once(calls: list[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(max(1, len(calls))) as pool:
        for done in [pool.submit(call) for call in calls]:
            done.result()


def _state(root: Path) -> Path:
    return root.resolve() / ".local"


@contextmanager
def _locked(root: Path) -> Iterator[Path]:
    """Hold the checkout's lock: one start, stop or clean at a time."""
    state = _state(root)
    end = time.monotonic() + LOCK_SECONDS
    while True:
        state.mkdir(parents=True, exist_ok=True)
        with (state / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    raise LocalStackError(
                        f"Another command has held {file.name} for {LOCK_SECONDS:.0f} seconds: "
                        "end it, then start again."
                    ) from None
                time.sleep(0.05)
                continue
            if _is_still(file.fileno(), state / "lock"):
                yield state
                return


def _is_still(descriptor: int, path: Path) -> bool:
    """Whether the path still names the locked file: `clean` may have removed it while we waited."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
