"""What the issuer signs: access tokens (RFC 9068) for the window, ID tokens for its lobby."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

from deploy.local.issuer.keys import ALGORITHM
from deploy.local.issuer.people import Person

AUDIENCE = "one-window"
SECONDS = 3600
"""How long a token holds."""


def access_token(issuer: str, person: Person, client: str, key: ECKey) -> str:
    """A token that opens the window's services to this person."""
    claims = {"aud": AUDIENCE, "client_id": client, "jti": str(uuid4()), **_who(issuer, person)}
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "at+jwt"}, claims, key)


def id_token(issuer: str, person: Person, client: str, nonce: str | None, key: ECKey) -> str:
    """What tells a client who has signed in; it opens no service."""
    claims = {"aud": client, "name": f"{person.zh} / {person.en}", "zh": person.zh, "en": person.en}
    if nonce is not None:
        claims["nonce"] = nonce
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}, {**claims, **_who(issuer, person)}, key)


def _who(issuer: str, person: Person) -> dict[str, Any]:
    now = int(time.time())
    department = {} if person.department is None else {"department": person.department}
    return {
        "iss": issuer, "sub": person.subject, "iat": now, "exp": now + SECONDS, "roles": list(person.roles),
        **department,
    }  # fmt: skip
