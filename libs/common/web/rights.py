"""Who may use a route: every route of a service names the roles that may, or says that anyone may.

What belongs to somebody is checked in the SQL that reads it: what is not yours is not there (404).
"""

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from libs.common.identity import Caller, IssuerAway, Refused, Role
from libs.common.problems import Problem
from libs.common.web.running import running

SCHEME = {"www-authenticate": "Bearer"}


class Allowed:
    """The dependency that names a route's roles; what it gives is the caller."""

    def __init__(self, *roles: Role) -> None:
        self.roles = frozenset(roles)

    async def __call__(self, request: Request) -> Caller:
        caller: Caller = request.state.caller
        return caller


async def _anyone(request: Request) -> Caller | None:
    caller: Caller | None = request.state.caller
    return caller


def allowed(*roles: Role) -> Any:
    """`Annotated[Caller, allowed("registrar")]`: the caller, who has one of these roles."""
    return Depends(Allowed(*roles))


Anyone = Annotated[Caller | None, Depends(_anyone)]
"""The route is open to all; the caller is known where a token was sent."""


def rights_of(dependant: Dependant, path: str) -> frozenset[Role] | None:
    """The roles that a route names; None where anyone may use it. A route that says neither is refused."""
    for one in dependant.dependencies:
        if isinstance(one.call, Allowed):
            return one.call.roles
        if one.call is _anyone:
            return None
    raise TypeError(f"{path}: says neither who may use it nor that anyone may")


def described(roles: frozenset[Role] | None) -> dict[str, Any]:
    """The rights of a route as its OpenAPI operation shows them."""
    return {"security": []} if roles is None else {"security": [{"bearer": []}], "x-roles": sorted(roles)}


async def admit(request: Request, roles: frozenset[Role] | None) -> Caller | None:
    """The caller, where the route is open to them: 401 without a good token, 403 without one of its roles, 429 to whom
    has asked too often."""
    run = running(request)
    address = request.client.host if request.client else ""
    try:
        caller = await _caller(request)
    except Problem as problem:
        if problem.status == 401:
            await run.rates.count(None, address)
        raise
    await run.rates.count(caller, address)
    if roles is not None:
        if caller is None:
            raise Problem("unauthenticated", 401, headers=SCHEME)
        if not caller.has(*roles):
            raise Problem("forbidden", 403)
    request.state.caller = caller
    return caller


async def _caller(request: Request) -> Caller | None:
    """Whoever the token speaks for; None where there is none."""
    given = request.headers.getlist("authorization")
    if not given:
        return None
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise Problem("unauthenticated", 401, headers=SCHEME)
    try:
        return await running(request).verifier.caller(token.strip())
    except Refused as refused:
        raise Problem("unauthenticated", 401, headers=SCHEME) from refused
    except IssuerAway as away:
        raise Problem("issuer-away", 503, retry_after=2) from away
