"""What was ever said: `contracts/history/` holds one sample of every version, and of each shape it has grown to.

Topics are kept for ever and read again from their beginning, so that what was said once must stay readable. A sample
is written once, by `write`, and never changed: `<type>.json` first, `<type>.shape2.json` when an optional field has
come to the same version, and so on.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from deploy.contracts.events import CHECKOUT, Published, Schema, schema
from libs.common.envelope import base_and_version, headers, source_of

FOLDER = CHECKOUT / "contracts/history"


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape of a type: the bare schema of its data, and a whole event as it travels."""

    type: str
    subject_kind: str
    schema: Schema
    headers: dict[str, str]
    data: dict[str, Any]

    @property
    def optional(self) -> list[str]:
        return [name for name in self.schema["properties"] if name not in self.schema.get("required", ())]


def load(folder: Path = FOLDER) -> dict[str, list[Shape]]:
    """All shapes of every type, oldest first."""
    shapes: dict[str, list[Shape]] = {}
    for path in sorted(folder.glob("*.json"), key=_age):
        shape = Shape(**json.loads(path.read_text(encoding="utf-8")))
        if path != _path(folder, shape.type, number := len(shapes.setdefault(shape.type, [])) + 1):
            raise ValueError(f"{path} holds shape {number} of {shape.type}: a sample is never renamed or removed")
        shapes[shape.type].append(shape)
    return shapes


def incompatible(said: Mapping[str, Published], shapes: Mapping[str, list[Shape]]) -> Iterator[str]:
    """What a reader of the old or of the new events would trip over, one sentence each."""
    bases = {base_and_version(type)[0] for type in said}
    for type, known in shapes.items():
        if type not in said:
            if base_and_version(type)[0] not in bases:
                yield f"{type}: was said and is said no more, in no version; readers still wait for it"
            continue
        for shape in known:
            for fault in _differences(shape, said[type]):
                yield f"{type}: {fault}; a version that was said keeps its shape: publish the next version"


def _differences(shape: Shape, now: Published) -> Iterator[str]:
    if now.kind.subject_kind != shape.subject_kind:
        yield f"its subject was a {shape.subject_kind} and is now a {now.kind.subject_kind}"
    new = bare(schema(now.kind))
    was_required, is_required = set(shape.schema.get("required", ())), set(new.get("required", ()))
    for name, kind in shape.schema["properties"].items():
        if name not in new["properties"]:
            yield f"the field {name} was removed"
        elif new["properties"][name] != kind:
            yield f"the field {name} was {json.dumps(kind)} and is now {json.dumps(new['properties'][name])}"
        elif name in was_required - is_required:
            yield f"the field {name} was always there and is now optional"
    nested = new.get("$defs", {})  # what only a new field is made of may come along with it
    if any(nested.get(name) != kind for name, kind in shape.schema.get("$defs", {}).items()):
        yield "a nested value has changed"
    for name in sorted(is_required - was_required):
        yield f"the field {name} is newly required"


def unrecorded(said: Mapping[str, Published], shapes: Mapping[str, list[Shape]]) -> dict[Path, str]:
    """The samples that are still to be written, by path: those of new types, and of types that have grown."""
    files = {}
    for type, one in said.items():
        known = shapes.get(type, [])
        if not known or known[-1].schema != bare(schema(one.kind)):
            shape = _drafted(one)
            path = _path(FOLDER, type, len(known) + 1)
            files[path] = json.dumps(asdict(shape), indent=2, ensure_ascii=False) + "\n"
    return files


def bare(schema: Any) -> Any:
    """A schema without its words: what they say may change."""
    if isinstance(schema, dict):
        return {k: bare(v) for k, v in schema.items() if not (k in ("title", "description") and isinstance(v, str))}
    return [bare(one) for one in schema] if isinstance(schema, list) else schema


def _drafted(one: Published) -> Shape:
    """A sample with a plain value in every field; a person may put in truer ones before it is committed."""
    event_headers = headers(
        id=UUID(int=1), source=source_of(one.service), type=one.type, subject="91310106MA0000015B", sequence=1,
        time="2026-01-05T01:00:00+00:00", correlation_id=str(UUID(int=2)), causation_id=UUID(int=3),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )  # fmt: skip
    kind = bare(schema(one.kind))
    definitions = kind.get("$defs", {})
    data = {name: _drafted_value(field, definitions) for name, field in kind["properties"].items()}
    return Shape(one.type, one.kind.subject_kind, kind, {name: v.decode() for name, v in event_headers}, data)


def _drafted_value(field: Schema, definitions: Mapping[str, Schema]) -> Any:
    if "$ref" in field:
        return _drafted_value(definitions[field["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in field:
        return _drafted_value(field["anyOf"][0], definitions)
    if "enum" in field:
        return field["enum"][0]
    if field.get("type") == "array":
        return [_drafted_value(field["items"], definitions)]
    if field.get("type") == "object":
        return {name: _drafted_value(one, definitions) for name, one in field.get("properties", {}).items()}
    texts = {"uuid": str(UUID(int=4)), "date": "2026-01-05", "date-time": "2026-01-05T01:00:00Z", "decimal": "1.00"}
    plain = {"string": texts.get(field.get("format", ""), "text"), "integer": 1, "boolean": True, "number": 1.0}
    return plain[field["type"]]


def _path(folder: Path, type: str, number: int) -> Path:
    return folder / (f"{type}.json" if number == 1 else f"{type}.shape{number}.json")


def _age(path: Path) -> tuple[str, int]:
    type, _, number = path.stem.partition(".shape")
    return type, int(number or 1)
