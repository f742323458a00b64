"""What clients sent and were answered: one line of NDJSON for each attempt, also for those that got no answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Attempt:
    """One command, by `caller` where that is noted, `sent` and answered `at` (seconds of the run's clock) where those
    are. `status` and `answer` (the raw text) are None when the connection broke before an answer came."""

    path: str
    key: str
    body_sha256: str
    status: int | None
    answer: str | None
    service: str = "registration"
    method: str = "POST"
    caller: str | None = None
    sent: float | None = None
    at: float | None = None

    @property
    def acknowledged(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def answered(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.answer or "{}")
        return found


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def dump(attempts: Iterable[Attempt], file: Path) -> None:
    file.write_text("".join(json.dumps(asdict(attempt), ensure_ascii=False) + "\n" for attempt in attempts))
