"""The states of what waits for somebody in licensing."""

from typing import Literal

NotificationState = Literal["sent", "claimed", "returned", "overdue", "dropped"]
"""`returned`: to nobody's desk, where a person sees to it; `dropped`: the enterprise has left the register."""

ApplicationStatus = Literal["in_review", "granted", "refused", "recorded", "lapsed"]
"""`recorded`: a filing; `lapsed`: the enterprise has left the register."""
