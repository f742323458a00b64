"""Is a Unified Social Credit Identifier valid? GB 32100-2015, with the organisation code of GB 11714 inside it."""

SET_32100 = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I, O, S, V, Z
SET_11714 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def faults(identifier: str, division: str = "310106") -> list[str]:
    """What is wrong with an identifier that market regulation of this division gave to an enterprise."""
    if len(identifier) != 18 or any(character not in SET_32100 for character in identifier):
        return ["it is not 18 characters of the set"]
    found = []
    if identifier[:2] != "91":
        found.append("it does not begin with 91 (market regulation, enterprise)")
    if identifier[2:8] != division:
        found.append(f"its division is not {division}")
    if identifier[16] != _mod_11(identifier[8:16]):
        found.append("the check character of its organisation code is wrong")
    if identifier[17] != _mod_31(identifier[:17]):
        found.append("its last check character is wrong")
    return found


def _mod_31(text: str) -> str:
    weight, total = 1, 0
    for character in text:
        total += SET_32100.index(character) * weight
        weight = weight * 3 % 31
    return SET_32100[(31 - total % 31) % 31]


def _mod_11(text: str) -> str:
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(SET_11714.index(character) * weight for character, weight in zip(text, weights, strict=True))
    rest = 11 - total % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))
