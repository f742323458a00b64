"""The public keys of a service, for anyone who verifies what it has signed."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict

from libs.common import signature
from libs.common.signature import Keyring
from libs.common.web.commands import router
from libs.common.web.rights import Anyone
from libs.common.web.running import running

EXAMPLE: dict[str, Any] = {
    "keys": [
        {
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "use": "sig",
            "alg": "Ed25519", "kid": "9f86d081884c7d65", "signs_from": "2026-01-05T01:00:00Z",
            "retired_at": "2026-07-05T01:00:00Z", "revoked_at": None,
        }
    ]
}  # fmt: skip


async def _signing_keys(request: Request) -> Keyring:
    return signature.keys(running(request).settings)


SigningKeys = Annotated[Keyring, Depends(_signing_keys)]
"""The keys with which this service signs: for `signature.sign(document, kind=..., keys=...)`."""


class KeyView(BaseModel):
    """A public key (RFC 8037 JWK). It verifies what was signed from `signs_from` until `retired_at`; from the moment it
    is revoked, nothing."""

    kty: str
    crv: str
    x: str
    use: str
    alg: str
    kid: str
    signs_from: datetime
    retired_at: datetime | None = None
    revoked_at: datetime | None = None


class KeySetView(BaseModel):
    """A JSON Web Key Set (RFC 7517)."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    keys: list[KeyView]


def keys() -> APIRouter:
    routes = router()

    @routes.get("/keys", tags=["keys"], response_model_exclude_none=True)
    async def read_keys(own: SigningKeys, _: Anyone) -> KeySetView:
        """Every key with which this service has signed. Keep the answer: `python -m verify` checks with it offline."""
        return KeySetView.model_validate(own.public())

    return routes
