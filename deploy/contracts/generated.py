"""The generated files of `contracts/` and the table of rights, as the code says they must be."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from deploy.contracts import asyncapi, history, outside, readers, rights
from deploy.contracts.events import CHECKOUT, Published, published, schema, services
from libs.common.service import find
from libs.common.web import Running, create_app

FOLDER = CHECKOUT / "contracts"
WRITE = "python -m deploy.contracts write"


def files() -> dict[Path, str]:
    """The contents of all generated files."""
    said = published()
    document = asyncapi.document(said, readers.load(), history.load(), outside.taken(), outside.told())
    described = {service: openapi(service) for service in services()}
    return {
        **{FOLDER / "schemas" / f"{type}.json": _json(_schema(one)) for type, one in said.items()},
        **{FOLDER / "openapi" / f"{service}.json": _json(one) for service, one in described.items()},
        FOLDER / "asyncapi.yaml": msgspec.yaml.encode(document).decode(),
        CHECKOUT / "docs" / "rights.md": rights.table(described),
    }


def openapi(service: str) -> dict[str, Any]:
    """A service's HTTP interface. Only its routes are looked at: nothing runs, so nothing is needed to run."""
    return create_app(find(service), cast(Running, None)).openapi()


def stale(wanted: Mapping[Path, str]) -> Iterator[str]:
    """Where the folder and the code differ, one sentence each."""
    for path, text in wanted.items():
        if not path.exists():
            yield f"{path.relative_to(CHECKOUT)} is missing: {WRITE}"
        elif path.read_text(encoding="utf-8") != text:
            yield f"{path.relative_to(CHECKOUT)} is not what the code says: {WRITE}"
    for path in sorted(left_over(wanted)):
        yield f"{path.relative_to(CHECKOUT)} speaks of what is no more: {WRITE}"


def left_over(wanted: Mapping[Path, str]) -> set[Path]:
    """Files in the generated folders that nothing generates any more."""
    found = {path for name in ("schemas", "openapi") for path in (FOLDER / name).glob("*")}
    return found - set(wanted)


def _schema(one: Published) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema(one.kind),
        "x-type": one.type,
        "x-subject-kind": one.kind.subject_kind,
    }


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
