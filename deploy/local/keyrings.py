"""The keys with which the services of this checkout sign: made once, kept in `.local/keys`, for its owner alone."""

from __future__ import annotations

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
