"""The issuer's keys, in one file that only its owner can read; `serve`, `token` and `rotate` share it.

The last key signs. Those before it stay published, so that what they signed holds until they are withdrawn.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey, KeySet

from deploy.local.issuer.people import CITY
from deploy.local.processes import LocalStackError

ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True)
class Keys:
    """`private` are JWKs, the signing one last. `secrets` are those of clients that are programs."""

    private: tuple[Mapping[str, Any], ...]
    secrets: Mapping[str, str]

    @property
    def signing(self) -> ECKey:
        return ECKey.import_key(dict(self.private[-1]))

    def published(self) -> dict[str, Any]:
        """The public halves, as a JWK set."""
        found = KeySet([ECKey.import_key(dict(one)) for one in self.private]).as_dict(private=False)
        return dict(found)


def read(folder: Path) -> Keys:
    """The keys of this folder; made where there are none yet."""
    try:
        return _parsed((folder / "keys.json").read_text())
    except FileNotFoundError:
        return _changed(folder, lambda keys: keys)


def rotate(folder: Path) -> str:
    """A new key signs from now on; returns its id. The old ones stay published."""
    changed = _changed(folder, lambda keys: Keys((*keys.private, _new_key()), keys.secrets))
    return str(changed.private[-1]["kid"])


def withdraw(folder: Path, kid: str) -> None:
    """Publish a key no more. Raises LocalStackError for one that is unknown, or that signs."""

    def without(keys: Keys) -> Keys:
        left = tuple(one for one in keys.private if one["kid"] != kid)
        if len(left) == len(keys.private):
            raise LocalStackError(f"No key is called {kid}.")
        if keys.private[-1]["kid"] == kid:
            raise LocalStackError(f"{kid} signs: rotate first.")
        return Keys(left, keys.secrets)

    _changed(folder, without)


def _new_key() -> dict[str, Any]:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM})
    return {**key.as_dict(private=True), "kid": key.thumbprint()}


def _parsed(text: str) -> Keys:
    found = json.loads(text)
    return Keys(tuple(found["keys"]), found["secrets"])


def _changed(folder: Path, change: Callable[[Keys], Keys]) -> Keys:
    """Read, change and write under a lock; a reader sees the file before or after, never between."""
    path = folder / "keys.json"
    with _locked(folder):
        kept = _parsed(path.read_text()) if path.exists() else Keys((_new_key(),), {CITY: secrets.token_urlsafe(32)})
        changed = change(kept)
        descriptor, written = tempfile.mkstemp(dir=folder)  # mode 600
        with os.fdopen(descriptor, "w") as file:
            json.dump({"keys": list(changed.private), "secrets": dict(changed.secrets)}, file)
        Path(written).replace(path)
    return changed


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
