"""The law of registration as it is shipped, and the contradictions at which the service refuses to start."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from libs.common.policy import PolicyError, digest
from services.registration.policy import FOLDER, load


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    copy = tmp_path / "policy"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def rewrite(path: Path, edit: Callable[[list[str]], None]) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    edit(lines)
    path.write_text("".join(lines), encoding="utf-8")


def line_of(path: Path, text: str) -> int:
    """The number of the only line that starts with `text`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    (number,) = [number for number, line in enumerate(lines, 1) if line.startswith(text)]
    return number


def test_every_item_of_every_edition_read_in_text_is_held() -> None:
    policy = load()
    held = {
        (found.edition.edition, scope): len({c.entries[0].item_no for cs in found.clauses.values() for c in cs})
        for scope, lists in policy.negative_lists.items()
        for found in lists
    }
    assert held == {
        ("2017", "national"): 0, ("2018", "national"): 48, ("2019", "national"): 40, ("2020", "national"): 33,
        ("2021", "national"): 31, ("2024", "national"): 29,
        ("2017", "ftz"): 0, ("2018", "ftz"): 45, ("2019", "ftz"): 37, ("2020", "ftz"): 30, ("2021", "ftz"): 27,
    }  # fmt: skip
    assert sum(row.level == 4 for row in policy.industries.values()) == 1381
    assert {"CN", "HK", "MO", "TW", "DE"} <= policy.countries
    assert {"CNY", "USD", "HKD"} <= policy.currencies
    assert policy.currencies.isdisjoint({"XXX", "XTS", "XAU"})
    assert {"91", "92", "93", "A1", "N2", "Y1"} <= policy.uscc_authorities


def test_a_copy_of_the_law_reads_alike_and_any_edit_shows_in_the_digest(scratch: Path) -> None:
    assert load(scratch) == load()
    rewrite(scratch / "areas_shanghai.csv", lambda lines: lines.append(lines.pop(1)))
    assert digest(scratch) != load().digest


SHIPPING = "2024,national,NDRC/MOFCOM Order 23 (2024-09-06),2024-11-01,,,8,domestic_shipping,1,"
COASTING = SHIPPING.replace("shipping,1", "shipping,2")
AIRLINES = "2024,national,NDRC/MOFCOM Order 23 (2024-09-06),2024-11-01,,,9,air_public_general,1,"
FLIGHTS = "2024,national,NDRC/MOFCOM Order 23 (2024-09-06),2024-11-01,,,9,air_public_general,4,"
PRINTING = "2018,national,NDRC/MOFCOM Order 18 (2018-06-28),2018-07-28,2019-07-29,,9,printing,1,"


@pytest.mark.parametrize(
    ("file", "line", "old", "new", "reason"),
    [
        ("negative_list.csv", SHIPPING, "5512;5513", "5512;9999", "no class 9999 in GB/T 4754-2017"),
        ("negative_list.csv", SHIPPING, "5512;5513", "551;5513", "no class 551 in GB/T 4754-2017"),
        ("negative_list.csv", SHIPPING, "5512;5513;5522;5523", "", "gbt4754_codes: '' is empty"),
        ("negative_list.csv", SHIPPING, "chinese_controlled", "chinese_led;owned", "is none of prohibited"),
        ("negative_list.csv", SHIPPING, ",51,", ",,", "lacks its percent"),
        ("negative_list.csv", AIRLINES, ",25,", ",,", "lacks its percent"),
        ("negative_list.csv", SHIPPING, ",verified", ",certain", "confidence: 'certain' is none of"),
        ("negative_list.csv", COASTING, "8,domestic_shipping,2", "8,domestic_shipping,1", "stands already in line"),
        ("negative_list.csv", SHIPPING, "2024,national", "2025,national", "no edition 2025 of scope national"),
        ("negative_list.csv", SHIPPING, "2024-11-01", "2024-10-31", "outlives its edition"),
        ("negative_list.csv", PRINTING, "2019-07-29", "2019-07-30", "outlives its edition"),
        ("negative_list.csv", PRINTING, "2019-07-29", "", "outlives its edition"),
        ("negative_list.csv", FLIGHTS, "activity_a", "activity_b", "stands alone"),
        ("negative_list.csv", FLIGHTS, "activity_a", "either", "neither choice_ nor activity_"),
        ("negative_list_editions.csv", "2024,national", "2024-11-01", "2024-10-31", "in force on 2024-10-31 together"),
        ("negative_list_editions.csv", "2024,national", "2024-11-01,", "2024-11-01,2024-10-30", "before it is valid"),
        ("negative_list_editions.csv", "2024,national", ",29,", ",30,", "30 items in force, 29 in negative_list.csv"),
        ("negative_list_pilots.csv", "N3", "telecom_2019", "telephones", "no list item"),
        ("negative_list_pilots.csv", "N3", "6410;", "64;", "no class 64 in GB/T 4754-2017"),
        ("negative_list_pilots.csv", "N3", ",review,", ",accepted,", "outcome: 'accepted' is none of review"),
        ("treaty_preferences.csv", "T06", ",film,", ",movies,", "no list item"),
        ("treaty_preferences.csv", "T06", ",8730,", ",873,", "no class 873"),
        ("industries_gbt4754.csv", "0112,", ",011,", ",099,", "unknown parent 099"),
        ("industries_gbt4754.csv", "0112,", "0112,", "0111,", "stands already in line"),
        ("areas_shanghai.csv", "310106012", ",310106,", ",310103,", "unknown 310103"),
        (
            "uscc_authorities.csv",
            "9,市场监管（工商）,Market regulation,2",
            "regulation,2",
            "regulation,1",
            "stands already",
        ),
        ("countries_iso3166.csv", "DE,", "DE,", "de,", "de is no code"),
        ("currencies_iso4217.csv", "CNY,", "CNY,", "CN,", "CN is no code"),
        ("permit_conditions.csv", "prepackaged_only", "loose_or_processed_food", "loose_food", "unknown fact"),
        ("permit_conditions.csv", "sells_liquor", ",,,applicant", ",nvocc,,applicant", "does not exclude it"),
        ("deadlines.csv", "corrections", ",10,", ",0,", "0 days are none"),
        ("deadlines.csv", "corrections", "own_setting", "verified", "marked as such"),
        ("deadlines.csv", "decision,", ",law,", ",custom,", "basis: 'custom' is none of"),
        ("control_definitions.csv", "general", ",51,", ",half,", "chinese_min_pct: 'half'"),
    ],
)
def test_a_contradiction_is_refused_with_file_and_line(
    scratch: Path, file: str, line: str, old: str, new: str, reason: str
) -> None:
    path = scratch / file
    number = line_of(path, line)

    def edit(lines: list[str]) -> None:
        assert old in lines[number - 1]
        lines[number - 1] = lines[number - 1].replace(old, new, 1)

    rewrite(path, edit)
    with pytest.raises(PolicyError) as refused:
        load(scratch)
    assert refused.value.path == path
    assert reason in refused.value.reason
    assert refused.value.line == number
