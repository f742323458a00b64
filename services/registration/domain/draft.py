"""What a draft may hold: any JSON object that can be kept and given back as it was."""

import json
from collections.abc import Iterator
from typing import Any

from services.registration.domain.application import Fault, FormReturned

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32


def checked_content(content: dict[str, Any]) -> None:
    """Raises FormReturned where the content is too deep, is no readable text, or takes too many bytes as JSON."""
    if any(level > MAX_DEPTH for level, _ in _walk(content)):
        raise FormReturned([Fault("content", "draft_content_too_deep", {"limit": f"{MAX_DEPTH}"})])
    if any("\ud800" <= character <= "\udfff" for _, text in _walk(content) for character in text):
        raise FormReturned([Fault("content", "draft_text_unreadable")])
    if len(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_BYTES:
        raise FormReturned([Fault("content", "draft_content_too_large", {"limit": f"{MAX_BYTES}"})])


def _walk(content: Any) -> Iterator[tuple[int, str]]:
    """Every object, list and text in the content with its depth; without recursion, since the depth is in question."""
    waiting: list[tuple[int, Any]] = [(1, content)]
    while waiting:
        level, value = waiting.pop()
        if isinstance(value, dict):
            yield level, ""
            yield from ((level, name) for name in value)
            waiting += [(level + 1, inner) for inner in value.values()]
        elif isinstance(value, list):
            yield level, ""
            waiting += [(level + 1, inner) for inner in value]
        elif isinstance(value, str):
            yield level, value
