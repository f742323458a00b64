"""A scorecard's file: written whole or not at all, and read with what is wrong with it."""

import json
import os
from pathlib import Path

from services.risk.learning.arrays import Json, Unusable
from services.risk.learning.fit import FORMAT

NEEDED = {"format", "kind", "inputs", "probability", "not_loadable"}


def writable(*paths: Path | None) -> None:
    """Raises Unusable before the work that would be lost."""
    for path in paths:
        if path is not None and (path.is_dir() or not os.access(path.parent, os.W_OK)):
            raise Unusable(f"{path}: cannot be written: there is no folder for it, or it is one")


def write(path: Path, document: Json) -> None:
    """Not a number is null: JSON has no word for it."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise Unusable(f"{path}: cannot be written: {error.strerror}") from None


def read_scorecard(path: Path) -> Json:
    """Raises Unusable unless it was made by `fit`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unusable(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise Unusable(f"{path}: is not JSON") from None
    features, provenance = _part(document, "features"), _part(document, "provenance")
    if not (features.keys() >= NEEDED and features["format"] == FORMAT and provenance.keys() >= {"rows", "last"}):
        raise Unusable(f"{path}: was not made by `fit` of this release: it does not say how its features are made")
    return dict(document)


def _part(document: object, name: str) -> Json:
    part = document.get(name) if isinstance(document, dict) else None
    return part if isinstance(part, dict) else {}
