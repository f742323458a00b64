"""The negative list read a second time, as plainly as it is written: rows of text, one question after another.

It shares no code with the engine. `python -m tests.registration.reference` writes a golden case for both sides of every
limit of every row, on the first and the last day on which it holds; people review what changes in those files.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

POLICY = Path(__file__).parents[2] / "services" / "registration" / "policy"
CASES = POLICY / "cases"
JINGAN = "310106012"
OPEN_END = "2026-01-05"
HEADER = (
    "on", "scope", "place", "activity", "enterprise_type", "investors", "representative", "outcome", "item", "reason",
    "why",
)  # fmt: skip
SURE = {"prohibited", "excepted"}
TO_PEOPLE = {
    "cooperative_education", "chinese_led", "head_of_school_chinese", "joint_venture_count_cap", "wto_commitment_scope",
}  # fmt: skip
HAIR = Decimal("0.0001")

Row = dict[str, str]


def table(name: str) -> list[Row]:
    with (POLICY / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


LIST, EDITIONS, PILOTS = (
    table(f"negative_list{part}.csv") for part in ("", "_editions", "_pilots")
)  # fmt: skip


def holds(row: Row, on: str) -> bool:
    return row["effective_from"] <= on <= (row["effective_to"] or "9999-12-31")


def answer(on: str, scope: str, code: str, investors: str, representative: str) -> str:
    """What the list says to a company in Jing'an, by the rules of the brief (1.2) in their order."""
    words = investors.split()
    held = [(origin, Decimal(share)) for origin, share in zip(words[::2], words[1::2], strict=True)]
    foreign = [share for origin, share in held if origin != "CN"]
    if not foreign:
        return "accepted"
    edition = next((one for one in EDITIONS if one["scope"] == scope and holds(one, on)), None)
    if edition is None:
        return "review"
    rows = [row for row in LIST if (row["edition"], row["scope"]) == (edition["edition"], scope)]
    if not rows:
        return "review"
    asked = [row for row in rows if code in row["gbt4754_codes"].split(";") and holds(row, on)]
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in asked:
        groups.setdefault((row["item_no"], row["alternative_group"] or row["part"]), []).append(row)
    said = {of_group(group, on, edition, code, foreign, representative) for group in groups.values()}
    return next((worst for worst in ("refused", "review") if worst in said), "accepted")


def of_group(
    group: list[Row], on: str, edition: Row, code: str, foreign: list[Decimal], representative: str
) -> str:  # fmt: skip
    verdicts = [of_row(row, code, foreign, representative) for row in group]
    kind = group[0]["alternative_group"].partition("_")[0]
    verdict = "met" if kind == "choice" and "met" in verdicts else agreed(verdicts)
    sure = all(row["confidence"] == "verified" for row in group)
    whole = kind == "activity" or all(row["coverage"] == "full" for row in group)
    measures = {measure for row in group for measure in row["measure"].split(";")}
    if verdict == "unmet":
        return "review" if not (sure and whole) or piloted(group[0], on, code) else "refused"
    permit = on <= edition["access_permit_to"] and not measures & SURE
    return "review" if verdict == "open" or not sure or permit else "accepted"


def agreed(verdicts: list[str]) -> str:
    return verdicts[0] if len(set(verdicts)) == 1 else "open"


def of_row(row: Row, code: str, foreign: list[Decimal], representative: str) -> str:
    found = {of_measure(measure, row, code, foreign, representative) for measure in row["measure"].split(";")}
    return "unmet" if "unmet" in found else "open" if "open" in found else "met"


def of_measure(measure: str, row: Row, code: str, foreign: list[Decimal], representative: str) -> str:
    total = sum(foreign, Decimal(0))
    chinese = 100 - total
    if measure in TO_PEOPLE:
        return "open"
    if measure == "chinese_controlled" and 50 < chinese < 51 and code.startswith("56"):
        return "open"
    met = {
        "prohibited": False,
        "excepted": True,
        "chinese_controlled": chinese >= Decimal(row["chinese_min_pct"] or 51),
        "chinese_relative_control": chinese > max(foreign),
        "equity_cap": total <= Decimal(row["foreign_cap_pct"] or 100)
        and chinese >= Decimal(row["chinese_min_pct"] or 0),
        "single_foreign_cap": max(foreign) <= Decimal(row["single_foreign_cap_pct"] or 100),
        "joint_venture_only": chinese > 0,
        "cooperation_only": chinese > 0,
        "legal_rep_chinese": representative == "CN",
    }
    return "met" if met[measure] else "unmet"


def piloted(row: Row, on: str, code: str) -> bool:
    """A pilot that holds here turns a refusal into a review, from its announcement."""
    return any(
        row["item_key"] in pilot["item_key"].split(";")
        and row["scope"] in pilot["scope"].split(";")
        and code in pilot["gbt4754_codes"].split(";")
        and JINGAN.startswith(tuple(pilot["place_prefixes"].split(";")))
        and on >= (pilot["announced"] if pilot["date_confidence"] == "doubtful" else pilot["effective_from"])
        for pilot in PILOTS
    )


def sides(row: Row) -> Iterator[tuple[str, str, str]]:
    """Investors, legal representative and a word for both sides of each limit that a row sets."""
    measures = row["measure"].split(";")
    if "prohibited" in measures:
        yield "CN 100", "CN", "no foreign investor"
        yield "DE 0.0001 CN 99.9999", "CN", "the smallest foreign share"
        return
    most = Decimal(100)
    if {"joint_venture_only", "cooperation_only"} & set(measures):
        most -= HAIR
    if row["foreign_cap_pct"]:
        most = min(most, Decimal(row["foreign_cap_pct"]))
    if row["chinese_min_pct"]:
        most = min(most, 100 - Decimal(row["chinese_min_pct"]))
    if "chinese_relative_control" in measures:
        most = min(most, 50 - HAIR)
    alone = Decimal(row["single_foreign_cap_pct"] or 100)
    yield shares(most, alone), "CN", "at the limit"
    if most < 100:
        yield shares(most + HAIR, alone), "CN", "a hair above the limit"
        yield "DE 100", "CN", "wholly foreign"
    if alone < most:
        yield shares(alone + HAIR, Decimal(100)), "CN", "one foreign investor a hair above its limit"
    if "legal_rep_chinese" in measures:
        yield shares(most, alone), "DE", "at the limit, with a foreign legal representative"


def shares(foreign: Decimal, alone: Decimal) -> str:
    """This much foreign capital, no investor of it above `alone`."""
    parts, origins = [], iter(("DE", "FR", "IT", "ES", "PT"))
    while foreign > 0:
        parts.append(f"{next(origins)} {min(foreign, alone):f}")
        foreign -= min(foreign, alone)
    chinese = 100 - sum(Decimal(part.split()[1]) for part in parts)
    return " ".join([*parts, f"CN {chinese:f}"] if chinese else parts)


def cases(edition: Row) -> Iterator[tuple[str, ...]]:
    """The golden cases of one edition: each row, both sides, its first and last day; or that it is not itemised."""
    scope, number = edition["scope"], edition["edition"]
    rows = [row for row in LIST if (row["edition"], row["scope"]) == (number, scope)]
    if not rows:
        for on in (edition["effective_from"], edition["effective_to"]):
            plan = (on, scope, JINGAN, "6210", "limited_company", "DE 100", "DE")
            yield *plan, "review", "", "edition_not_itemised", f"{number} {scope}: known as a whole only"
    for row in rows:
        code = row["gbt4754_codes"].split(";")[0]
        last = row["effective_to"] or OPEN_END
        for on in (row["effective_from"], last):
            for investors, representative, where in sides(row):
                item = "" if investors == "CN 100" else f"{row['item_no']}/{row['part']}"
                reason = "" if item else "not_screened_domestic"
                day = "first day" if on != last else "last day" if row["effective_to"] else "still in force"
                why = f"{row['item_key']}: {where}; {day}, {row['coverage']}"
                outcome = answer(on, scope, code, investors, representative)
                yield (
                    on, scope, JINGAN, code, "limited_company", investors, representative, outcome, item, reason,
                    f"{why}, {row['confidence']}",
                )  # fmt: skip


def file_of(edition: Row) -> Path:
    return CASES / f"{edition['edition']}-{edition['scope']}.csv"


def written(edition: Row) -> str:
    lines = [HEADER, *cases(edition)]
    return "".join(",".join(f'"{cell}"' if "," in cell else cell for cell in line) + "\n" for line in lines)


if __name__ == "__main__":
    for one in EDITIONS:
        file_of(one).write_text(written(one), encoding="utf-8")
