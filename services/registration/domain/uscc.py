"""The Unified Social Credit Identifier (统一社会信用代码): 18 characters of GB 32100-2015 over GB 11714.

Position 1 registration authority, 2 category, 3-8 division, 9-17 organisation code with its own check, 18 check.
"""

from collections.abc import Collection
from typing import Literal

from services.registration.domain.policy import DISTRICT

Problem = Literal["length", "alphabet", "authority", "division", "organisation_check", "check"]

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
VALUE = {character: value for value, character in enumerate(ALPHABET)}
WEIGHTS = tuple(pow(3, position, 31) for position in range(17))

ORGANISATION_VALUE = {character: value for value, character in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

MARKET_REGULATION = "9"
BODY_PREFIX = "MA"  # organisation codes given out since the identifier replaced the organisation code certificate
BODY_DIGITS = 6
CAPACITY = len(ALPHABET) ** BODY_DIGITS
"""Serials 0 to 887,503,680: one organisation code each, whatever the division."""


def uscc_for(serial: int, division: str = DISTRICT, category: Literal["1", "2", "3"] = "1") -> str:
    """The identifier of the `serial`-th subject that market regulation registers; two serials never share one.

    Category: 1 enterprise, 2 individual business, 3 farmers' cooperative. Raises ValueError for a serial beyond
    CAPACITY or a division that is not six digits.
    """
    if not 0 <= serial < CAPACITY:
        raise ValueError(f"serial {serial} is not in 0..{CAPACITY - 1}")
    if len(division) != 6 or not _digits(division):
        raise ValueError("a division code has six digits")
    body = BODY_PREFIX + _base31(serial)
    first = MARKET_REGULATION + category + division + body + organisation_check(body)
    return first + check_character(first)


def serial_of(uscc: str) -> int:
    """The serial behind an identifier that `uscc_for` made; 0 for one that somebody else gave out."""
    body = uscc[8:16]
    if not body.startswith(BODY_PREFIX):
        return 0
    serial = 0
    for character in body[len(BODY_PREFIX) :]:
        serial = serial * len(ALPHABET) + VALUE[character]
    return serial


def check(uscc: str, authorities: Collection[str] | None = None) -> tuple[Problem, ...]:
    """What is wrong with an identifier; empty where nothing is. `authorities`: known pairs of first two characters.

    Letters are upper case and I, O, S, V, Z do not occur. A code of another department may fail a check and still have
    been issued: the caller decides whether to flag it or to refuse it.
    """
    if len(uscc) != 18:
        return ("length",)
    if any(character not in VALUE for character in uscc):
        return ("alphabet",)
    problems: list[Problem] = []
    if authorities is not None and uscc[:2] not in authorities:
        problems.append("authority")
    if not _digits(uscc[2:8]):
        problems.append("division")
    if organisation_check(uscc[8:16]) != uscc[16]:
        problems.append("organisation_check")
    if check_character(uscc[:17]) != uscc[17]:
        problems.append("check")
    return tuple(problems)


def check_character(first: str) -> str:
    """Position 18 from the first 17: weights 3^(i-1) mod 31."""
    total = sum(VALUE[character] * weight for character, weight in zip(first, WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def organisation_check(body: str) -> str:
    """The ninth character of an organisation code (GB 11714) from its eight: mod 11, 10 is written X."""
    total = sum(
        ORGANISATION_VALUE[character] * weight for character, weight in zip(body, ORGANISATION_WEIGHTS, strict=True)
    )
    return "0123456789X"[-total % 11]


def _base31(serial: int) -> str:
    digits = []
    for _ in range(BODY_DIGITS):
        serial, value = divmod(serial, len(ALPHABET))
        digits.append(ALPHABET[value])
    return "".join(reversed(digits))


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
