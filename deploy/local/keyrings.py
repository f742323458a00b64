"""The keys of this checkout's services: made once, kept in `.local/keys`, for its owner alone."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from deploy.local.stack import CHECKOUT
from libs.common import signature

SERVICES = ("registration", "licensing", "supervision", "credit", "risk", "lobby")


def signing_keys(root: Path = CHECKOUT) -> Path:
    """The folder for SIGNING_KEYS, with a keyring for every service; safe to call from many processes at once."""
    folder = root.resolve() / ".local" / "keys"
    for service in SERVICES:
        if not (file := folder / f"{service}.json").exists():
            signature.save(file, [signature.generate()], new=True)
    return folder


def party_key(root: Path = CHECKOUT) -> str:
    """What opaque ids of parties are made with; the same for every life of the stack."""
    file = root.resolve() / ".local" / "keys" / "party.key"
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        own = file.with_suffix(f".{os.getpid()}")
        own.write_text(secrets.token_hex(32))
        own.chmod(0o600)
        with contextlib.suppress(FileExistsError):
            os.link(own, file)  # whoever is first; a reader never sees half of it
        own.unlink()
    return file.read_text()
