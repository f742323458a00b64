"""Who asks: OIDC bearer tokens of the issuer that the settings name, verified against its published keys.

Any issuer by URL: its discovery document names its keys. A token must be signed by one of them, be meant for this
window (`aud`), not be expired, and carry `sub` (an opaque account id) and `roles`.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

Role = Literal[
    "applicant",
    "agent",
    "registrar",
    "licensing_officer",
    "supervisor",
    "inspector",
    "credit_officer",
    "risk_analyst",
    "regulator",
    "auditor",
    "operator",
    "city_system",
]
ROLES: frozenset[Role] = frozenset(get_args(Role))

ALGORITHMS = ["ES256", "EdDSA", "RS256", "PS256"]
"""Signatures with a public key only: a shared secret cannot tell who signed."""

KEYS_SECONDS = 300.0
"""How long keys count as known: a key that its issuer has withdrawn opens nothing after that."""

ASK_AGAIN_SECONDS = 5.0
"""An unknown key id makes us ask again, but not more often than this."""

REMEMBERED = 4_096


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a valid token. `subject` is the account's opaque id; an officer's `department` is a policy code."""

    subject: str
    roles: frozenset[Role]
    department: str | None = None

    def has(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)


class Refused(Exception):
    """The token proves nothing; the word is for the log, the caller learns only that it was refused."""


class UnknownKey(Refused):
    """The token names a key that its issuer has not published, as far as we know."""


class IssuerAway(Exception):
    """The issuer's keys could not be read, so nobody can say yet whether the token is good."""


@dataclass(slots=True)
class Verifier:
    """Verifies tokens of one issuer for one audience, with its keys kept for a while."""

    issuer: str
    audience: str
    keys: KeySet | None = None
    read_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    known: OrderedDict[str, tuple[float, Caller]] = field(default_factory=OrderedDict)

    async def caller(self, token: str) -> Caller:
        """Who the token speaks for. Raises Refused, or IssuerAway."""
        await self._read_keys(older_than=KEYS_SECONDS)
        remembered = self.known.get(token)
        if remembered is not None and remembered[0] > time.time():
            return remembered[1]
        try:
            claims = self._claims(token)
        except UnknownKey:  # the issuer may have a new one
            await self._read_keys(older_than=ASK_AGAIN_SECONDS)
            claims = self._claims(token)
        caller = _caller(claims)
        self.known[token] = (float(claims["exp"]), caller)
        while len(self.known) > REMEMBERED:
            self.known.popitem(last=False)
        return caller

    def _claims(self, token: str) -> Mapping[str, Any]:
        assert self.keys is not None
        try:
            claims = jwt.decode(token, self.keys, algorithms=ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": self.audience},
                exp={"essential": True},
                sub={"essential": True},
            ).validate(claims)
        except InvalidKeyIdError as error:
            raise UnknownKey(error.error) from error
        except JoseError as error:
            raise Refused(type(error).__name__) from error
        return claims

    async def _read_keys(self, *, older_than: float) -> None:
        if time.monotonic() - self.read_at < older_than:
            return
        async with self.lock:
            if time.monotonic() - self.read_at < older_than:
                return
            try:
                async with httpx.AsyncClient(timeout=3) as client:
                    found = await client.get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
                    keys = await client.get(found.raise_for_status().json()["jwks_uri"])
                    self.keys = KeySet.import_key_set(keys.raise_for_status().json())
            except (httpx.HTTPError, KeyError, ValueError, JoseError) as error:
                if self.keys is None or older_than == KEYS_SECONDS:
                    raise IssuerAway(repr(error)) from error
                return
            self.read_at = time.monotonic()
            self.known.clear()


def _caller(claims: Mapping[str, Any]) -> Caller:
    roles = claims.get("roles")
    if not isinstance(claims["sub"], str) or not claims["sub"] or len(claims["sub"]) > 200:
        raise Refused("no subject")
    if not isinstance(roles, list):
        raise Refused("no roles")
    department = claims.get("department")
    return Caller(
        claims["sub"], frozenset(role for role in roles if role in ROLES),
        department if isinstance(department, str) else None,
    )  # fmt: skip
