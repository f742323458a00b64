"""Who asks: OIDC bearer tokens of the issuer that the settings name, verified against its published keys.

Any issuer by URL: its discovery document names its keys. A token must be an access token (RFC 9068, so that an ID token
opens nothing), be signed by one of these keys, be meant for this window (`aud`), not be expired, and carry `sub` (an
opaque account id) and `roles`.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

log = structlog.get_logger()

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

ALGORITHMS = ["ES256", "Ed25519", "EdDSA", "RS256", "PS256"]
"""Signatures with a public key only: a shared secret cannot tell who signed."""

ACCESS_TOKEN = frozenset({"at+jwt", "application/at+jwt"})

FRESH_SECONDS = 60.0
"""Keys of this age are asked for again, beside the requests, which go on with those that are known."""

KEYS_SECONDS = 300.0
"""How long keys count as known: a key that its issuer has withdrawn opens nothing after that, and where the issuer is
away for longer nobody is let in."""

PAUSE_SECONDS = 1.0
"""Between two questions to the issuer, whatever comes in: many callers wait for one answer."""

ASKING_SECONDS = 5.0
LEEWAY_SECONDS = 30
"""By which the issuer's clock and ours may differ."""

REMEMBERED = 4_096
MAX_TOKEN = 16_384


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
    """Verifies tokens of one issuer for one audience. Callers are remembered no longer than the keys that proved them:
    with every new set all are verified again."""

    issuer: str
    audience: str
    keys: KeySet | None = None
    read_at: float = float("-inf")
    asked_at: float = float("-inf")
    asking: asyncio.Task[None] | None = None
    known: OrderedDict[str, tuple[float, Caller]] = field(default_factory=OrderedDict)

    async def caller(self, token: str) -> Caller:
        """Who the token speaks for. Raises Refused, or IssuerAway."""
        await self._have_keys()
        remembered = self.known.get(token)
        if remembered is not None and remembered[0] > time.time():
            return remembered[1]
        try:
            claims = self._claims(token)
        except UnknownKey:  # the issuer may have a new one
            await asyncio.shield(self._ask())
            claims = self._claims(token)
        caller = _caller(claims)
        self.known[token] = (float(claims["exp"]) + LEEWAY_SECONDS, caller)
        while len(self.known) > REMEMBERED:
            self.known.popitem(last=False)
        return caller

    async def _have_keys(self) -> None:
        age = time.monotonic() - self.read_at
        if age < FRESH_SECONDS:
            return
        just_asked = self.asking is None and time.monotonic() - self.asked_at < PAUSE_SECONDS
        if age < KEYS_SECONDS:
            if not just_asked:
                self._ask()
            return
        if not just_asked:
            await asyncio.shield(self._ask())  # a caller who gives up must not take the answer from the others
        if time.monotonic() - self.read_at >= KEYS_SECONDS:
            raise IssuerAway(self.issuer)

    def _ask(self) -> asyncio.Task[None]:
        """The question that is under way, or a new one. It never fails: what is known is simply no newer after it."""
        if self.asking is None:
            self.asking = asyncio.create_task(self._read_keys())
        return self.asking

    async def _read_keys(self) -> None:
        try:
            await asyncio.sleep(max(0.0, self.asked_at + PAUSE_SECONDS - time.monotonic()))
            began = time.monotonic()
            async with asyncio.timeout(ASKING_SECONDS), httpx.AsyncClient(timeout=3) as client:
                found = await client.get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
                discovered = found.raise_for_status().json()
                if discovered["issuer"] != self.issuer:
                    raise ValueError("the issuer calls itself otherwise")
                answer = await client.get(discovered["jwks_uri"])
                self.keys = KeySet.import_key_set(answer.raise_for_status().json())
            self.read_at = began
            self.known.clear()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, KeyError, TypeError, ValueError, JoseError) as error:
            log.warning("the keys of the issuer could not be read", issuer=self.issuer, error=repr(error))
        finally:
            self.asked_at = time.monotonic()
            self.asking = None

    def _claims(self, token: str) -> Mapping[str, Any]:
        assert self.keys is not None
        if len(token) > MAX_TOKEN:
            raise Refused("too long")
        try:
            decoded = jwt.decode(token, self.keys, algorithms=ALGORITHMS)
            jwt.JWTClaimsRegistry(
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": self.audience},
                exp={"essential": True},
                sub={"essential": True},
            ).validate(decoded.claims)
        except InvalidKeyIdError as error:
            raise UnknownKey(error.error) from error
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise Refused(type(error).__name__) from error  # its head is read before anything is proved
        if str(decoded.header.get("typ")).lower() not in ACCESS_TOKEN:
            raise Refused("no access token")
        return decoded.claims


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
