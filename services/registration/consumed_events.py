"""What registration reads of others: only the fields it uses."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from libs.common.envelope import Event


class PermitRevoked(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.permit_revoked.v1"

    permit_id: UUID
    item_id: str
    activities: tuple[str, ...]
    reason: str
    revoked_on: date


class RestrictionChanged(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.restriction_changed.v1"

    restrictions: tuple[str, ...]
    grounds: tuple[str, ...]
    changed_on: date


CONSUMED = (PermitRevoked, RestrictionChanged)
