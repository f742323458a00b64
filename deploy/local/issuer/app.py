"""The issuer's web application: OpenID Connect Core 1.0 with the code flow and PKCE (RFC 7636), as far as it is needed
to sign in at the lobby, and the client credentials grant for programs."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import uvicorn
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import BaseModel, ValidationError

from deploy.local.issuer import keys, page, tokens
from deploy.local.issuer.people import Person, people
from deploy.local.issuer.server import Issuer
from libs.common.problems import language_of

LOBBY = "lobby"
CODE_SECONDS = 60.0
MAX_CODES = 1_000
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
NOT_KEPT = {"cache-control": "no-store"}


class Authorisation(BaseModel):
    """What a client asks for (OpenID Connect Core 1.0, 3.1.2.1). A public client proves itself by PKCE."""

    client_id: str
    redirect_uri: str
    response_type: str = ""
    scope: str = ""
    state: str | None = None
    nonce: str | None = None
    code_challenge: str = ""
    code_challenge_method: str = ""

    def fault(self) -> str | None:
        """The OAuth error in it, if there is one."""
        if self.response_type != "code":
            return "unsupported_response_type"
        if "openid" not in self.scope.split():
            return "invalid_scope"
        if self.code_challenge_method != "S256" or len(self.code_challenge) != 43:
            return "invalid_request"
        return None


@dataclass(frozen=True, slots=True)
class Code:
    person: Person
    asked: Authorisation
    until: float


@dataclass(slots=True)
class Application:
    """Codes are kept in memory: each is worth one exchange, for a minute."""

    issuer: Issuer
    codes: dict[str, Code] = field(default_factory=dict)

    def discovery(self) -> JSONResponse:
        url = self.issuer.url
        return JSONResponse(
            {
                "issuer": url,
                "authorization_endpoint": f"{url}/authorize",
                "token_endpoint": f"{url}/token",
                "jwks_uri": f"{url}/jwks",
                "scopes_supported": ["openid", "profile"],
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "client_credentials"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [keys.ALGORITHM],
                "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
                "ui_locales_supported": ["zh", "en"],
            }
        )

    def jwks(self) -> JSONResponse:
        return JSONResponse(keys.read(self.issuer.folder).published())

    def ask(self, request: Request) -> Response:
        """The page on which somebody says who they are."""
        asked = _asked(request.query_params)
        if isinstance(asked, Response):
            return asked
        if fault := asked.fault():
            return self._back(asked, error=fault)
        wanted = request.query_params.get("ui_locales") or request.headers.get("accept-language")
        return HTMLResponse(
            page.sign_in(language_of(wanted), list(people().values()), asked.model_dump(exclude_none=True)),
            headers={**NOT_KEPT, "content-security-policy": page.POLICY, "referrer-policy": "no-referrer"},
        )

    async def sign_in(self, request: Request) -> Response:
        """Somebody has chosen; send them back to the client with a code."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        asked = _asked(form)
        if isinstance(asked, Response):
            return asked
        chosen = people().get(form.get("person", ""))
        if (fault := asked.fault()) or chosen is None:
            return self._back(asked, error=fault or "access_denied")
        code = secrets.token_urlsafe(32)
        self.codes[code] = Code(chosen, asked, time.monotonic() + CODE_SECONDS)
        while len(self.codes) > MAX_CODES:
            del self.codes[next(iter(self.codes))]
        return self._back(asked, code=code)

    def _back(self, asked: Authorisation, **answer: str) -> Response:
        state = {} if asked.state is None else {"state": asked.state}
        query = urlencode({**answer, **state, "iss": self.issuer.url})
        joint = "&" if urlsplit(asked.redirect_uri).query else "?"
        return RedirectResponse(f"{asked.redirect_uri}{joint}{query}", 303, NOT_KEPT)

    def exchange(self, code: str, client: str, redirect_uri: str, verifier: str) -> JSONResponse:
        """The tokens for a code; it is spent by the attempt."""
        known = self.codes.pop(code, None)
        if known is None or known.until < time.monotonic():
            return _refused("invalid_grant")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        shown = (client, redirect_uri, challenge)
        if shown != (known.asked.client_id, known.asked.redirect_uri, known.asked.code_challenge):
            return _refused("invalid_grant")
        signing = keys.read(self.issuer.folder).signing
        ours = tokens.id_token(self.issuer.url, known.person, client, known.asked.nonce, signing)
        return self._issued(known.person, client, id_token=ours)

    def program(self, client: str, secret: str) -> JSONResponse:
        """The token of a program that shows its secret."""
        expected = keys.read(self.issuer.folder).secrets.get(client)
        if expected is None or not secrets.compare_digest(secret.encode(), expected.encode()):
            return _refused("invalid_client", 401)
        return self._issued(people()[client], client)

    def _issued(self, person: Person, client: str, **more: str) -> JSONResponse:
        token = tokens.access_token(self.issuer.url, person, client, keys.read(self.issuer.folder).signing)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": tokens.SECONDS, **more}
        return JSONResponse(answer, headers=NOT_KEPT)


def _asked(given: Mapping[str, Any]) -> Authorisation | Response:
    """What is asked, for a client that may be answered; nobody is ever sent to an address that is not loopback."""
    try:
        asked = Authorisation.model_validate(dict(given))
        address = urlsplit(asked.redirect_uri)
        known = asked.client_id == LOBBY and address.scheme == "http" and address.hostname in LOOPBACK
    except (ValidationError, ValueError):
        known = False
    if not known or address.fragment:
        return HTMLResponse(page.UNKNOWN_CLIENT, 400, {"content-security-policy": page.POLICY})
    return asked


def _refused(error: str, status: int = 400) -> JSONResponse:
    headers = {**NOT_KEPT, **({"www-authenticate": "Basic"} if status == 401 else {})}
    return JSONResponse({"error": error}, status, headers)


def create(issuer: Issuer) -> FastAPI:
    own = Application(issuer)
    app = FastAPI(title="One Window: local issuer", openapi_url=None)
    app.get("/.well-known/openid-configuration")(own.discovery)
    app.get("/jwks")(own.jwks)
    app.get("/authorize")(own.ask)
    app.post("/authorize")(own.sign_in)

    @app.post("/token")
    async def token(
        request: Request,
        grant_type: Annotated[str, Form()] = "",
        client_id: Annotated[str, Form()] = "",
        client_secret: Annotated[str, Form()] = "",
        code: Annotated[str, Form()] = "",
        redirect_uri: Annotated[str, Form()] = "",
        code_verifier: Annotated[str, Form()] = "",
    ) -> JSONResponse:
        basic: HTTPBasicCredentials | None = await HTTPBasic(auto_error=False)(request)
        client, secret = (basic.username, basic.password) if basic else (client_id, client_secret)
        if grant_type == "authorization_code":
            return own.exchange(code, client, redirect_uri, code_verifier)
        if grant_type == "client_credentials":
            return own.program(client, secret)
        return _refused("unsupported_grant_type")

    return app


def run(issuer: Issuer) -> None:
    """Answer until the process is told to end."""
    uvicorn.run(create(issuer), host="127.0.0.1", port=issuer.port, log_level="warning", timeout_graceful_shutdown=2)
