"""The exchange with outsiders: what they send us, stated in `contracts/outside/<topic>.json`, and what we tell them.

Those files are written by people, for nobody's code is the city's; a test holds them against what is really taken.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.contracts.events import CHECKOUT, Published, Schema, services
from libs.common.service import find

FOLDER = CHECKOUT / "contracts/outside"


@dataclass(frozen=True, slots=True)
class Taken:
    """A topic on which an outsider speaks, the service that takes it, and the schema of its one message."""

    topic: str
    service: str
    schema: Schema

    @property
    def type(self) -> str:
        return str(self.schema["x-type"])

    @property
    def sent_by(self) -> str:
        return str(self.schema["x-sent-by"])


@dataclass(frozen=True, slots=True)
class Told:
    """A topic on which a service tells outsiders of these event types."""

    topic: str
    service: str
    types: tuple[str, ...]


def taken(folder: Path = FOLDER) -> Iterator[Taken]:
    """Topics without a file are left to `faults`."""
    for service in services():
        for topic in find(service).takes:
            if (path := folder / f"{topic}.json").exists():
                yield Taken(topic, service, json.loads(path.read_text(encoding="utf-8")))


def told() -> Iterator[Told]:
    for service in services():
        outward = find(service).outward
        for topic in dict.fromkeys(outward.values()):
            yield Told(topic, service, tuple(type for type, where in outward.items() if where == topic))


def faults(said: Mapping[str, Published], folder: Path = FOLDER) -> Iterator[str]:
    """Where what is stated and what is wired differ, one sentence each."""
    wired = {topic: service for service in services() for topic in find(service).takes}
    stated = {path.stem for path in folder.glob("*.json")}
    for topic in sorted(wired.keys() - stated):
        yield f"{topic}: {wired[topic]} takes it and contracts/outside does not say what comes there"
    for topic in sorted(stated - wired.keys()):
        yield f"{topic}: stated in contracts/outside, and no service takes it (service.py)"
    for one in told():
        for type in one.types:
            if type not in said or said[type].service != one.service:
                yield f"{type}: {one.service} tells it on {one.topic} and does not say it"
