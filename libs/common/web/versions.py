"""Conditional changes (RFC 9110 13.1.1): a change names the version it was made from, as its ETag."""

import re
from typing import Annotated

from fastapi import Depends, Header, Response

from libs.common.problems import Problem

_ETAG = re.compile(r'"([0-9]{1,9})"')


async def _if_match(
    if_match: Annotated[str | None, Header(description="The ETag that was read.", examples=['"1"'])] = None,
) -> int:
    if if_match is None:
        raise Problem("precondition-required", 428)
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise Problem("stale", 412)
    return int(match[1])


IfMatch = Annotated[int, Depends(_if_match)]
"""The version that a change was made from: 428 where it is missing."""


class Stale(Exception):
    """What is to be changed is no longer the version that the caller has read."""


def tag(response: Response, version: int) -> None:
    """Say which version an answer shows."""
    response.headers["etag"] = f'"{version}"'
