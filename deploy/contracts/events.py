"""Who says and who hears which event type, read from the services' `published_events.py` and `consumed_events.py`."""

import importlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from libs.common.envelope import Event, base_and_version
from libs.common.service import find

CHECKOUT = Path(__file__).parents[2]
NAME = re.compile(r"(?P<service>[a-z_]+)\.[a-z_]+\.v[1-9][0-9]*")

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Published:
    """An event type and the service that says it."""

    service: str
    kind: type[Event]

    @property
    def type(self) -> str:
        return self.kind.type


def services() -> tuple[str, ...]:
    """The names of all services: the packages of `services/` that wire one."""
    return tuple(sorted(path.parent.name for path in (CHECKOUT / "services").glob("*/service.py")))


def published() -> dict[str, Published]:
    """What is said, by type."""
    return {
        kind.type: Published(service, kind)
        for service in services()
        for kind in _listed(service, "published_events", "PUBLISHED")
    }


def consumed() -> dict[str, tuple[type[Event], ...]]:
    """What each service reads, by service; one that hears nobody reads nothing."""
    return {service: _listed(service, "consumed_events", "CONSUMED") for service in services()}


def schema(kind: type[Event]) -> Schema:
    """The JSON Schema of an event's data."""
    (_reference,), definitions = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    own = definitions.pop(kind.__name__)
    return {**own, "$defs": definitions} if definitions else own


def faults(said: Mapping[str, Published], heard: Mapping[str, tuple[type[Event], ...]]) -> Iterator[str]:
    """What is wrong with the lists themselves, one sentence each."""
    for type, one in said.items():
        match = NAME.fullmatch(type)
        if match is None or match["service"] != one.service:
            yield f"{type}: a type of {one.service} reads {one.service}.<past_tense>.v<number>"
        if not one.kind.subject_kind:
            yield f"{type}: states no subject_kind"
    for base, versions in Counter(base_and_version(type)[0] for type in said).items():
        if versions > 1:
            yield f"{base}: said in {versions} versions; a fact is published in one at a time"
    for service, kinds in heard.items():
        for kind in kinds:
            if kind.type in said and (source := said[kind.type].service) not in find(service).hears:
                yield f"{kind.type}: {service} reads it and does not hear {source} (service.py)"
    for service in services():
        for module, listed in (("published_events", "PUBLISHED"), ("consumed_events", "CONSUMED")):
            for forgotten in sorted(_defined(service, module) - {k.__name__ for k in _listed(service, module, listed)}):
                yield f"{forgotten}: stands in services/{service}/{module}.py and not in its {listed}"


def _listed(service: str, module: str, name: str) -> tuple[type[Event], ...]:
    found = _module(service, module)
    return () if found is None else tuple(getattr(found, name))


def _defined(service: str, module: str) -> set[str]:
    found = _module(service, module)
    values = () if found is None else vars(found).values()
    return {v.__name__ for v in values if isinstance(v, type) and issubclass(v, Event) and hasattr(v, "type")}


def _module(service: str, module: str) -> ModuleType | None:
    if not (CHECKOUT / "services" / service / f"{module}.py").exists():
        return None
    return importlib.import_module(f"services.{service}.{module}")
