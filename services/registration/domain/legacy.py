"""Enterprises that were organised under the former laws on foreign investment, and what they may still register.

Source: Foreign Investment Law Art 42; Implementing Regulations Art 44.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

LegacyForm = Literal["equity_joint_venture", "cooperative_joint_venture", "wholly_foreign_owned"]


@dataclass(frozen=True, slots=True)
class Former:
    """A form of the former laws; until `adapt_by` it could be kept, and other registrations be made."""

    form: LegacyForm
    name_zh: str
    name_en: str
    adapt_by: date
    source: str
    confidence: Literal["verified", "memory", "doubtful"]


class NotAdapted(Exception):
    """The enterprise has kept its former organisation: no other registration is made before it has adapted."""


def is_barred(form: str | None, forms: Mapping[str, Former], today: date) -> bool:
    return form is not None and today > forms[form].adapt_by


def require_adapted(form: str | None, adapts: bool, forms: Mapping[str, Former], today: date) -> None:
    """Raises NotAdapted where only the adaptation itself may be registered."""
    if not adapts and is_barred(form, forms, today):
        raise NotAdapted
