"""Lists by keyset: a page ends with a cursor, which names the key of its last row; the next one begins behind it."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query

from libs.common.problems import Fault, Problem

Row = TypeVar("Row")

MAX_LIMIT = 200
Cursor = Annotated[
    str | None,
    Query(
        pattern="^[A-Za-z0-9_-]{1,400}$", examples=["WyIyMDI2LTAxLTEyIiwgIjBmNGI2YTUyIl0"],
        description="`next` of the page before; the first page has none.",
    ),
]  # fmt: skip
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, examples=[50], description="How many at most.")]


def page(rows: Sequence[Row], limit: int, key: Callable[[Row], Sequence[Any]]) -> tuple[Sequence[Row], str | None]:
    """The first `limit` rows, and the cursor of the next page; None where these are all.

    `rows` were read one further than `limit`. `key` gives what they are ordered by, as values that `str` writes.
    """
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], written(key(rows[limit - 1]))


def written(key: Sequence[Any]) -> str:
    """The cursor of what comes behind this key."""
    return base64.urlsafe_b64encode(json.dumps([str(value) for value in key]).encode()).decode().rstrip("=")


def after(cursor: str | None, *kinds: Callable[[str], Any]) -> tuple[Any, ...] | None:
    """The key behind which a page begins, each value read by its kind (`str` where none is given); None at the start.

    Raises Problem (422) for a cursor that no page has given.
    """
    if cursor is None:
        return None
    try:
        texts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(texts, list) or not all(isinstance(text, str) and text.isprintable() for text in texts):
            raise ValueError("not a list of plain text")
        readers: Sequence[Callable[[str], Any]] = kinds or [str] * len(texts)
        return tuple(read(text) for read, text in zip(readers, texts, strict=True))
    except (binascii.Error, ValueError, TypeError) as error:
        raise Problem("malformed", 422, [Fault("cursor", "value_not_accepted")]) from error
