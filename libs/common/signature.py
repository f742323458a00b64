"""Signatures on what the window gives out: licences, certificates, draws, reports, webhooks.

A signed document is a compact JWS (RFC 7515) over canonical JSON. Its protected header holds exactly `alg`, `kid`,
`typ` (the kind of document, such as `licence+jws`) and `iat` (the second it was signed in, real time; ETSI TS 119
182-1). `python -m verify` checks one offline and shares no code with this module.

    python -m libs.common.signature FILE new | rotate | revoke KID | public
"""

import argparse
import base64
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.registry import HeaderParameter

from libs.common.settings import Refused, Settings

GENERATE: Mapping[str, Callable[[], OKPKey]] = {"Ed25519": lambda: OKPKey.generate_key("Ed25519")}
"""The algorithms that may sign, named in full (RFC 9864), each with how a key for it is made. SM2 with SM3 becomes a
second row once the JWS library knows it; keys and documents name theirs, so that both can stand side by side."""

HEADER = frozenset({"alg", "kid", "typ", "iat"})
PRIVATE = "d"
_registry = jws.JWSRegistry({"iat": HeaderParameter("Issued At", "int")}, list(GENERATE))
_registry.max_payload_length = 1_000_000
_encode = msgspec.json.Encoder(order="sorted", decimal_format="string").encode


class NoSigningKey(Exception):
    """This service has no key that may sign now; the sentence says where one is expected."""


class NotGenuine(Exception):
    """The document proves nothing. The word says why: malformed, unknown-key, revoked-key, outside-validity, forged."""


class Key(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One key. Retired, it signs no more and verifies what it signed before; revoked (somebody else may have it), it
    verifies nothing. `jwk` is private in a keyring and public in what is published."""

    kid: str
    alg: str
    signs_from: datetime
    retired_at: datetime | None = None
    revoked_at: datetime | None = None
    jwk: dict[str, str]

    def signs(self, at: datetime) -> bool:
        return self.signs_from <= at and self.revoked_at is None and (self.retired_at is None or at < self.retired_at)

    def public(self) -> dict[str, Any]:
        """The key as a JWK with its validity, fit to be published."""
        jwk = {name: value for name, value in self.jwk.items() if name != PRIVATE}
        return {**jwk, "use": "sig", **{k: v for k, v in msgspec.to_builtins(self).items() if k != "jwk"}}


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of one service, oldest first."""

    keys: tuple[Key, ...] = ()
    where: str = "SIGNING_KEYS"

    def signing(self, at: datetime) -> Key:
        """The newest key that may sign. Raises NoSigningKey."""
        able = [key for key in self.keys if key.signs(at)]
        if not able:
            raise NoSigningKey(f"No key may sign. Run: python -m libs.common.signature {self.where} new")
        return max(able, key=lambda key: key.signs_from)

    def public(self) -> dict[str, Any]:
        """The key set (JWKS) to publish: every key, since old documents name old keys."""
        return {"keys": [key.public() for key in self.keys]}


@dataclass(frozen=True, slots=True)
class Genuine:
    """A document whose signature holds."""

    kind: str
    document: dict[str, Any]
    kid: str
    signed_at: datetime


_read: dict[Path, tuple[tuple[int, int], Keyring]] = {}


def keys(settings: Settings) -> Keyring:
    """The keyring of a service, `<service>.json` in the folder SIGNING_KEYS; empty where there is none.

    Read again when the file has changed: a rotation needs no restart.
    """
    if settings.signing_keys is None:
        return Keyring()
    path = settings.signing_keys / f"{settings.service}.json"
    try:
        found = path.stat()
    except FileNotFoundError:
        return Keyring(where=str(path))
    stamp = (found.st_mtime_ns, found.st_ino)
    if path not in _read or _read[path][0] != stamp:
        _read[path] = (stamp, load(path))
    return _read[path][1]


def sign(document: Mapping[str, Any], *, kind: str, keys: Keyring, at: datetime | None = None) -> str:
    """The document as a compact JWS, of this kind (`licence`, `permit`, `draw`). Raises NoSigningKey."""
    at = at or datetime.now(UTC)
    key = keys.signing(at)
    header = {"alg": key.alg, "kid": key.kid, "typ": f"{kind}+jws", "iat": int(at.timestamp())}
    return jws.serialize_compact(header, _encode(document), OKPKey.import_key(dict(key.jwk)), registry=_registry)


def verify(token: str, keys: Sequence[Key]) -> Genuine:
    """The document in a compact JWS signed by one of these keys. Raises NotGenuine.

    The key, not the document, says which algorithm counts.
    """
    try:
        header = json.loads(_segment(token.split(".")[0]))
        if any(_encoded(_segment(part)) != part for part in token.split(".")):
            raise ValueError("another spelling of the same bytes")
        if set(header) != HEADER or not isinstance(header["iat"], int) or not str(header["typ"]).endswith("+jws"):
            raise ValueError("header")
        signed_at = datetime.fromtimestamp(header["iat"], UTC)
    except (ValueError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise NotGenuine("malformed") from error
    key = next((key for key in keys if key.kid == header["kid"] and key.alg == header["alg"]), None)
    if key is None or key.alg not in GENERATE:
        raise NotGenuine("unknown-key")
    if key.revoked_at is not None:
        raise NotGenuine("revoked-key")
    if not key.signs(signed_at):
        raise NotGenuine("outside-validity")
    try:
        signed = jws.deserialize_compact(token, OKPKey.import_key(dict(key.jwk)), registry=_registry)
        document = json.loads(signed.payload)
    except (JoseError, ValueError) as error:
        raise NotGenuine("forged") from error
    return Genuine(header["typ"].removesuffix("+jws"), document, key.kid, signed_at)


def _segment(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def load(path: Path) -> Keyring:
    """Read a keyring file. Raises Refused with a sentence where it cannot be used."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=list[Key])
    except (OSError, msgspec.MsgspecError) as error:
        raise Refused(f"{path} is no keyring: {error}") from error
    if unknown := {key.alg for key in found} - set(GENERATE):
        raise Refused(f"{path} names algorithms that this release does not know: {', '.join(sorted(unknown))}")
    return Keyring(tuple(found), str(path))


def save(path: Path, keys: Sequence[Key], *, new: bool = False) -> bool:
    """Write a keyring that its owner alone can read, in one step. With `new`, False where there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 600
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(keys), indent=2))
    written = Path(name)
    if not new:
        written.replace(path)
        return True
    try:
        path.hardlink_to(written)
    except FileExistsError:
        return False
    finally:
        written.unlink()
    return True


def generate(alg: str = "Ed25519", at: datetime | None = None) -> Key:
    """A fresh key that signs from now on."""
    jwk = GENERATE[alg]().as_dict(private=True)
    members = {name: str(jwk[name]) for name in ("kty", "crv", "x", PRIVATE)}
    signs_from = (at or datetime.now(UTC)).replace(microsecond=0)  # as `iat`: what it signs at once is not older
    return Key(kid=secrets.token_hex(8), alg=alg, signs_from=signs_from, jwk=members)


def rotated(keys: Sequence[Key], at: datetime) -> list[Key]:
    """A new key signs from now on; the others retire, stay published, and verify what they signed."""
    retired = [_changed(key, retired_at=at) if key.signs(at) else key for key in keys]
    return [*retired, generate(at=at)]


def revoked(keys: Sequence[Key], kid: str, at: datetime) -> list[Key]:
    """The key verifies nothing any more; a new one takes over where no other signs. Raises Refused."""
    if kid not in {key.kid for key in keys}:
        raise Refused(f"There is no key {kid}.")
    left = [_changed(key, revoked_at=at) if key.kid == kid else key for key in keys]
    return left if any(key.signs(at) for key in left) else [*left, generate(at=at)]


def _changed(key: Key, **changes: datetime) -> Key:
    return msgspec.structs.replace(key, **changes)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m libs.common.signature", description=__doc__)
    parser.add_argument("file", type=Path)
    acts = parser.add_subparsers(dest="act", required=True)
    acts.add_parser("new", help="make the keyring with its first key")
    acts.add_parser("rotate", help="a new key signs from now on; the others stay published")
    acts.add_parser("revoke", help="a key that others may have verifies nothing any more").add_argument("kid")
    acts.add_parser("public", help="print the key set that anyone may have")
    given = parser.parse_args()
    now = datetime.now(UTC)
    if given.act == "new":
        if not save(given.file, [generate(at=now)], new=True):
            raise Refused(f"{given.file} is there already: rotate it instead.")
    elif given.act == "rotate":
        save(given.file, rotated(load(given.file).keys, now))
    elif given.act == "revoke":
        save(given.file, revoked(load(given.file).keys, given.kid, now))
    print(json.dumps(load(given.file).public(), indent=2))  # noqa: T201


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        raise SystemExit(str(refused)) from None
