"""The check of a Unified Social Credit Identifier that somebody else gave out (GB 32100-2015)."""

import re

SHAPE = "^[0-9A-HJ-NPQRTUWXY]{18}$"
_SHAPE = re.compile(SHAPE)
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = tuple(pow(3, position, 31) for position in range(17))


def has_shape(uscc: str) -> bool:
    """18 characters of the alphabet: no I, O, S, V, Z."""
    return _SHAPE.fullmatch(uscc) is not None


def check_holds(uscc: str) -> bool:
    """Whether position 18 follows from the first 17. Some codes that fail were really issued: flag, do not refuse."""
    total = sum(_ALPHABET.index(character) * weight for character, weight in zip(uscc, _WEIGHTS, strict=False))
    return _ALPHABET[-total % 31] == uscc[17]
