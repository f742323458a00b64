"""Sign-in at the issuer: OpenID Connect's code flow with PKCE, nonce and state. The one place that uses Authlib."""

import secrets
import time
import warnings
from collections.abc import Mapping
from typing import Any, cast

import httpx
from authlib.deprecate import AuthlibDeprecationWarning  # type: ignore[import-untyped]
from fastapi import Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from libs.common.identity import ALGORITHMS, IssuerAway, Refused
from libs.common.web.running import running
from services.lobby.settings import Settings

with warnings.catch_warnings():  # Authlib tells whoever starts the lobby that it will move to another client one day
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.base_client.errors import OAuthError  # type: ignore[import-untyped]
    from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]

BACK = "/sign-in/back"
SECONDS = 5


class NotSignedIn(Exception):
    """The answer from the issuer proves nothing: a state that is not ours, a spent code, a wrong nonce."""


def _settings(request: Request) -> Settings:
    return cast(Settings, running(request).settings)


def _client(request: Request) -> AsyncOAuth2Client:
    settings = _settings(request)
    return AsyncOAuth2Client(
        settings.client_id, redirect_uri=f"{settings.address}{BACK}", scope="openid profile",
        code_challenge_method="S256", token_endpoint_auth_method="none", timeout=SECONDS,  # noqa: S106
    )  # fmt: skip


async def _discovered(request: Request) -> dict[str, Any]:
    return await _read(f"{_settings(request).oidc_issuer.rstrip('/')}/.well-known/openid-configuration")


async def _read(url: str) -> dict[str, Any]:
    try:
        async with httpx.AsyncClient(timeout=SECONDS) as client:
            return dict((await client.get(url)).raise_for_status().json())
    except (httpx.HTTPError, ValueError) as error:
        raise IssuerAway(repr(error)) from error


async def begin(request: Request, language: str, after: str) -> tuple[str, dict[str, Any]]:
    """Where to send the browser, and what its session keeps to check the answer by. Raises IssuerAway."""
    endpoint = (await _discovered(request))["authorization_endpoint"]
    kept = {"nonce": secrets.token_urlsafe(24), "verifier": secrets.token_urlsafe(48), "after": after}
    async with _client(request) as client:
        url, state = client.create_authorization_url(
            endpoint, code_verifier=kept["verifier"], nonce=kept["nonce"], ui_locales=language
        )
    return url, {**kept, "state": state}


async def finish(request: Request, kept: Mapping[str, Any]) -> dict[str, Any]:
    """What the session of whoever has signed in holds. Raises NotSignedIn, or IssuerAway."""
    if not kept.get("state") or not secrets.compare_digest(request.query_params.get("state", ""), kept["state"]):
        raise NotSignedIn("state")
    found = await _discovered(request)
    try:
        async with _client(request) as client:
            token = await client.fetch_token(
                found["token_endpoint"], code=request.query_params.get("code", ""), code_verifier=kept["verifier"]
            )
        keys = KeySet.import_key_set(await _read(found["jwks_uri"]))  # type: ignore[arg-type]
        said = jwt.decode(token["id_token"], keys, algorithms=ALGORITHMS).claims
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": found["issuer"]},
            aud={"essential": True, "value": _settings(request).client_id},
            nonce={"essential": True, "value": kept["nonce"]},
            exp={"essential": True},
        ).validate(said)
        caller = await running(request).verifier.caller(token["access_token"])
    except (OAuthError, JoseError, Refused, KeyError, ValueError) as error:
        raise NotSignedIn(type(error).__name__) from error
    except httpx.HTTPError as error:
        raise IssuerAway(repr(error)) from error
    name = str(said.get("name", caller.subject))
    return {
        "subject": caller.subject,
        "roles": sorted(caller.roles),
        "department": caller.department,
        "names": {"zh": str(said.get("zh", name)), "en": str(said.get("en", name))},
        "access_token": token["access_token"],
        "expires_at": time.time() + float(token.get("expires_in", 600)),
        "purposes": {},
    }
