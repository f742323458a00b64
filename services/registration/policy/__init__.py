"""Reads the law of registration from the files beside this module and refuses data that contradicts itself."""

import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import get_args

from libs.common.policy import PolicyError, Row, Table, digest, no_overlap, read_table, unique
from services.registration.domain.hand_over import FollowOn, Matter
from services.registration.domain.legacy import Former, LegacyForm
from services.registration.domain.policy import (
    Area,
    Code,
    ControlDefinition,
    Deadline,
    DeadlineName,
    Edition,
    Entry,
    FourEyes,
    Industry,
    NameForm,
    NameWord,
    PermitCondition,
    Pilot,
    Policy,
    Syllable,
    TreatyPreference,
    UsccAuthority,
    negative_lists,
)
from services.registration.domain.signing import Role, SigningRule

FOLDER = Path(__file__).parent

_NUMBERED = {
    "equity_cap": ("foreign_cap_pct", "chinese_min_pct"),
    "single_foreign_cap": ("single_foreign_cap_pct",),
    "chinese_controlled": ("chinese_min_pct",),
}


def load(folder: Path = FOLDER) -> Policy:
    """Read, check and index the policy of registration.

    Raises PolicyError (file, line, reason) for an unreadable row, a missing source, an unknown industry code, editions
    of one scope that overlap, an item without its edition, or a measure without its number.
    """
    industries = _industries(folder / "industries_gbt4754.csv")
    areas = _areas(folder / "areas_shanghai.csv")
    editions = _editions(folder / "negative_list_editions.csv")
    entries = _entries(folder / "negative_list.csv", editions, industries)
    return Policy(
        digest=digest(folder),
        negative_lists=negative_lists(editions, entries),
        pilots=_pilots(folder / "negative_list_pilots.csv", entries, industries).rows,
        treaty_preferences=_treaty_preferences(folder / "treaty_preferences.csv", entries, industries).rows,
        control_definitions=read_table(folder / "control_definitions.csv", ControlDefinition).rows,
        industries={row.code: row for row in industries},
        areas={row.code: row for row in areas},
        countries=_codes(folder / "countries_iso3166.csv", length=2),
        currencies=_codes(folder / "currencies_iso4217.csv", length=3),
        uscc_authorities=_authorities(folder / "uscc_authorities.csv"),
        permit_conditions=_permit_conditions(folder / "permit_conditions.csv"),
        deadlines=_deadlines(folder / "deadlines.csv"),
        four_eyes=_four_eyes(folder / "four_eyes.csv"),
        name_words=_name_words(folder / "name_words.csv").rows,
        name_forms={row.enterprise_type: row for row in read_table(folder / "name_forms.csv", NameForm)},
        pinyin=_pinyin(folder / "pinyin.csv"),
        industry_words=frozenset(word for row in industries for word in (row.name_zh, row.name_zh.removesuffix("业"))),
        legacy_forms=_legacy_forms(folder / "legacy_forms.csv"),
        follow_on_matters=_follow_on_matters(folder / "follow_on_matters.csv"),
        signing_rules=_signing_rules(folder / "signatures.csv"),
    )


@cache
def current() -> Policy:
    """The policy this process serves, read once."""
    return load()


def _industries(path: Path) -> Table[Industry]:
    table = read_table(path, Industry)
    unique(table, lambda row: row.code)
    known = {row.code for row in table}
    table.require(lambda row: 1 <= row.level <= 4, "{code}: level {level} is none of 1 to 4")
    table.require(lambda row: row.level == 1 or row.parent_code in known, "{code}: unknown parent {parent_code}")
    return table


def _areas(path: Path) -> Table[Area]:
    table = read_table(path, Area)
    unique(table, lambda row: row.code)
    known = {row.code for row in table}
    table.require(lambda row: row.level == "province" or row.parent_code in known, "{code}: unknown {parent_code}")
    return table


def _editions(path: Path) -> Table[Edition]:
    table = read_table(path, Edition)
    unique(table, lambda row: (row.edition, row.scope))
    no_overlap(table, lambda row: row.scope, lambda row: (row.effective_from, row.effective_to))
    return table


def _entries(path: Path, editions: Table[Edition], industries: Table[Industry]) -> Table[Entry]:
    table = read_table(path, Entry, required=("source", "item_key", "gbt4754_codes", "measure"))
    unique(table, lambda row: (row.edition, row.scope, row.item_no, row.part))
    by_key = {(edition.edition, edition.scope): edition for edition in editions}
    table.require(lambda row: (row.edition, row.scope) in by_key, "no edition {edition} of scope {scope}")
    table.require(lambda row: _within(row, by_key[row.edition, row.scope]), "item {item_no}: outlives its edition")
    _require_classes(table, lambda row: row.gbt4754_codes, industries)
    table.require(_has_its_numbers, "item {item_no}: a measure of {measure} lacks its percent")
    table.require(_has_known_group, "item {item_no}: {alternative_group} is neither choice_ nor activity_")
    groups = Counter((row.edition, row.scope, row.item_no, row.alternative_group) for row in table)
    table.require(
        lambda row: not row.alternative_group or groups[row.edition, row.scope, row.item_no, row.alternative_group] > 1,
        "item {item_no}: alternative {alternative_group} stands alone",
    )
    _require_every_item(table, editions)
    return table


def _within(entry: Entry, edition: Edition) -> bool:
    ends_in_time = edition.effective_to is None or (
        entry.effective_to is not None and entry.effective_to <= edition.effective_to
    )
    return entry.effective_from >= edition.effective_from and ends_in_time


def _has_its_numbers(entry: Entry) -> bool:
    return all(
        any(getattr(entry, column) is not None for column in _NUMBERED.get(measure, ())) or measure not in _NUMBERED
        for measure in entry.measure
    )


def _has_known_group(entry: Entry) -> bool:
    return not entry.alternative_group or entry.alternative_group.startswith(("choice_", "activity_"))


def _require_every_item(table: Table[Entry], editions: Table[Edition]) -> None:
    """An edition is itemised wholly or not at all: a lost row would clear what the list forbids."""
    items: dict[tuple[str, str], set[int]] = {}
    for row in table:
        items.setdefault((row.edition, row.scope), set()).add(row.item_no)
    for index, edition in enumerate(editions.rows):
        held = items.get((edition.edition, edition.scope))
        if held is not None and held != set(range(1, edition.item_count + 1)):
            raise editions.error(index, f"{edition.item_count} items in force, {len(held)} in {table.path.name}")


def _pilots(path: Path, entries: Table[Entry], industries: Table[Industry]) -> Table[Pilot]:
    table = read_table(path, Pilot, required=("source", "item_key", "scope", "gbt4754_codes", "place_prefixes"))
    unique(table, lambda row: row.pilot_id)
    keys = {entry.item_key for entry in entries}
    table.require(lambda row: keys.issuperset(row.item_key), "{pilot_id}: no list item {item_key}")
    _require_classes(table, lambda row: row.gbt4754_codes, industries)
    return table


def _treaty_preferences(path: Path, entries: Table[Entry], industries: Table[Industry]) -> Table[TreatyPreference]:
    table = read_table(path, TreatyPreference, required=("source", "investor_origin"))
    unique(table, lambda row: row.pref_id)
    keys = {entry.item_key for entry in entries} | {"*"}
    table.require(
        lambda row: row.subject != "list_item" or keys.issuperset(row.item_key), "{pref_id}: no list item {item_key}"
    )
    _require_classes(table, lambda row: row.gbt4754_codes, industries)
    return table


def _require_classes(table: Table[Row], codes: Callable[[Row], tuple[str, ...]], industries: Table[Industry]) -> None:
    classes = {row.code for row in industries if row.level == 4}
    for index, row in enumerate(table.rows):
        if unknown := [code for code in codes(row) if code not in classes]:
            raise table.error(index, f"no class {', '.join(unknown)} in GB/T 4754-2017")


def _codes(path: Path, *, length: int) -> frozenset[str]:
    table = read_table(path, Code)
    unique(table, lambda row: row.code)
    table.require(lambda row: re.fullmatch(f"[A-Z]{{{length}}}", row.code) is not None, "{code} is no code")
    return frozenset(row.code for row in table)


def _authorities(path: Path) -> frozenset[str]:
    table = read_table(path, UsccAuthority)
    unique(table, lambda row: (row.authority_code, row.category_code))
    return frozenset(row.authority_code + row.category_code for row in table)


def _permit_conditions(path: Path) -> dict[str, PermitCondition]:
    table = read_table(path, PermitCondition, required=("condition", "question", "question_zh"))
    unique(table, lambda row: row.condition)
    known = {row.condition: row for row in table}
    table.require(lambda row: known.keys() >= set(row.excludes), "{condition}: excludes an unknown fact: {excludes}")
    table.require(
        lambda row: all(row.condition in known[other].excludes for other in row.excludes),
        "{condition}: what it excludes does not exclude it",
    )
    return known


def _four_eyes(path: Path) -> dict[str, Decimal]:
    table = read_table(path, FourEyes)
    unique(table, lambda row: row.currency)
    return {row.currency: row.above for row in table}


def _name_words(path: Path) -> Table[NameWord]:
    table = read_table(path, NameWord, required=("word", "source"))
    unique(table, lambda row: (row.word, row.match))
    table.require(
        lambda row: row.outcome == "review" or row.confidence == "verified", "{word}: only what is verified refuses"
    )
    return table


def _pinyin(path: Path) -> dict[str, str]:
    table = read_table(path, Syllable, required=("syllable", "characters", "source"))
    unique(table, lambda row: row.syllable)
    read: dict[str, str] = {}
    for index, row in enumerate(table.rows):
        if twice := [character for character in row.characters if character in read]:
            raise table.error(index, f"{twice[0]} has two readings")
        read |= dict.fromkeys(row.characters, row.syllable)
    return read


def _deadlines(path: Path) -> dict[DeadlineName, Deadline]:
    table = read_table(path, Deadline)
    unique(table, lambda row: row.deadline)
    table.require(lambda row: row.days > 0, "{deadline}: {days} days are none")
    table.require(
        lambda row: (row.basis == "district") == (row.confidence == "own_setting"),
        "{deadline}: the district's own setting is marked as such, and nothing else is",
    )
    held = {row.deadline: row for row in table}
    if missing := sorted(set(get_args(DeadlineName)) - held.keys()):
        raise PolicyError(path, 1, f"no row for {', '.join(missing)}")
    return held


def _legacy_forms(path: Path) -> dict[str, Former]:
    table = read_table(path, Former)
    unique(table, lambda row: row.form)
    if missing := sorted(set(get_args(LegacyForm)) - {row.form for row in table}):
        raise PolicyError(path, 1, f"no row for {', '.join(missing)}")
    return {row.form: row for row in table}


def _signing_rules(path: Path) -> dict[Role, SigningRule]:
    table = read_table(path, SigningRule)
    unique(table, lambda row: row.signer)
    if missing := sorted(set(get_args(Role)) - {row.signer for row in table}):
        raise PolicyError(path, 1, f"no row for {', '.join(missing)}")
    return {row.signer: row for row in table}


def _follow_on_matters(path: Path) -> dict[str, FollowOn]:
    table = read_table(path, FollowOn)
    unique(table, lambda row: row.matter)
    table.require(lambda row: row.days > 0, "{matter}: {days} days are none")
    if missing := sorted(set(get_args(Matter)) - {row.matter for row in table}):
        raise PolicyError(path, 1, f"no row for {', '.join(missing)}")
    return {row.matter: row for row in table}
