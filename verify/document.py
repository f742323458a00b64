"""A compact JWS (RFC 7515) with an Ed25519 signature (RFC 8037, RFC 9864), checked against a published key set."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class NotGenuine(Exception):
    """The document proves nothing. The word says why."""


@dataclass(frozen=True)
class Genuine:
    """A document whose signature holds."""

    kind: str
    document: Any
    kid: str
    signed_at: datetime


def _ed25519(jwk: Mapping[str, Any], signature: bytes, signed: bytes) -> None:
    if (jwk["kty"], jwk["crv"]) != ("OKP", "Ed25519"):
        raise ValueError("another kind of key")
    Ed25519PublicKey.from_public_bytes(_bytes(jwk["x"])).verify(signature, signed)


ALGORITHMS: Mapping[str, Callable[[Mapping[str, Any], bytes, bytes], None]] = {"Ed25519": _ed25519}
"""Each raises where the signature does not hold. SM2 with SM3 would be a second row."""


def verify(token: str, keys: Sequence[Mapping[str, Any]]) -> Genuine:
    """The document in `token`, signed by one of these keys (JWKs with their validity). Raises NotGenuine."""
    try:
        protected, payload, signature = token.split(".")
        header = json.loads(_bytes(protected))
        if set(header) != {"alg", "kid", "typ", "iat"} or type(header["iat"]) is not int:
            raise ValueError("header")
        kind, signed_at = str(header["typ"]), datetime.fromtimestamp(header["iat"], UTC)
        content, signature_bytes = _bytes(payload), _bytes(signature)
        if not kind.endswith("+jws"):
            raise ValueError("typ")
    except (ValueError, TypeError, OverflowError, OSError, RecursionError) as error:
        raise NotGenuine("malformed") from error
    check = ALGORITHMS.get(str(header["alg"]))
    if check is None:
        raise NotGenuine("algorithm")
    # The key, not the document, says which algorithm counts.
    key = next((key for key in keys if (key.get("kid"), key.get("alg")) == (header["kid"], header["alg"])), None)
    if key is None:
        raise NotGenuine("unknown-key")
    try:
        check(key, signature_bytes, f"{protected}.{payload}".encode("ascii"))
        document = json.loads(content)
    except (InvalidSignature, ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotGenuine("forged") from error
    if key.get("revoked_at") is not None:
        raise NotGenuine("revoked-key")
    if not _time(key["signs_from"]) <= signed_at < _time(key.get("retired_at") or "9999-12-31T00:00:00Z"):
        raise NotGenuine("outside-validity")
    return Genuine(kind.removesuffix("+jws"), document, header["kid"], signed_at)


def _bytes(text: str) -> bytes:
    """base64url without padding, in its one spelling: bits that decoding drops must be zero."""
    value = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(value).rstrip(b"=").decode() != text:
        raise ValueError("another spelling of the same bytes")
    return value


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
