"""The sections (门类, A to T) of GB/T 4754-2017: what a two-digit division belongs to."""

from bisect import bisect_right
from typing import Literal, get_args

Section = Literal["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T"]
SECTIONS: tuple[Section, ...] = get_args(Section)

_FIRST = (1, 6, 13, 44, 47, 51, 53, 61, 63, 66, 70, 71, 73, 76, 80, 83, 84, 86, 91, 97)
_AFTER_LAST = 98


def section_of(division: int) -> Section | None:
    """The section of a division, 1 to 97; None for a number that is none."""
    return SECTIONS[bisect_right(_FIRST, division) - 1] if 1 <= division < _AFTER_LAST else None


def divisions_of(section: Section) -> range:
    """The divisions of a section."""
    at = SECTIONS.index(section)
    return range(_FIRST[at], (*_FIRST, _AFTER_LAST)[at + 1])
