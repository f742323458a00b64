"""Who may use which route, as one table that people can read: taken from the routes themselves."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from libs.common.identity import Role

ROLES: tuple[Role, ...] = get_args(Role)
HEAD = """# Who may do what

Written by `python -m deploy.contracts write` from the routes of the services; a test tries every cell. ● the role may
use the route, and what belongs to somebody else is not there for it (404). ○ anyone may, with or without a token.
Health and metrics are asked by machines inside the network and are not listed.

"""


def table(descriptions: Mapping[str, Mapping[str, Any]]) -> str:
    """The document, from the OpenAPI description of each service."""
    return HEAD + "\n".join(line for name, one in descriptions.items() for line in _service(name, one))


def operations(description: Mapping[str, Any]) -> Iterator[tuple[str, str, frozenset[str] | None]]:
    """Method, path and roles of each operation that asks who comes; None where anyone may use it."""
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            if "health" not in operation.get("tags", ()):
                roles = operation.get("x-roles")
                yield method.upper(), path, None if roles is None else frozenset(roles)


def _service(name: str, description: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {name}\n"
    yield "| route | " + " | ".join(role.replace("_", " ") for role in ROLES) + " |"
    yield "|---" * (len(ROLES) + 1) + "|"
    for method, path, roles in operations(description):
        cells = ("○" if roles is None else "●" if role in roles else " " for role in ROLES)
        yield f"| {method} `{path}` | " + " | ".join(cells) + " |"
    yield ""
