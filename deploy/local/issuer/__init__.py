"""The local issuer: demo people per role sign in here by a click, over OpenID Connect as any issuer speaks it.

Never for production: whoever reaches its page is whoever they say. There, `OIDC_ISSUER` names a real one.
"""

from __future__ import annotations

import os
from pathlib import Path

from deploy.local.issuer.people import people
from deploy.local.issuer.server import CHECKOUT, Issuer, in_folder, of
from deploy.local.processes import LocalStackError

__all__ = ["Issuer", "in_folder", "of", "people", "token"]


def token(person: str, root: Path = CHECKOUT) -> str:
    """An access token for a demo person of a checkout. Raises LocalStackError where another issuer is named."""
    issuer = of(root)
    given = os.environ.get("OIDC_ISSUER")
    if given not in (None, issuer.url):
        raise LocalStackError(f"OIDC_ISSUER names {given}: tokens come from there, not from the local issuer.")
    return issuer.token(person)
