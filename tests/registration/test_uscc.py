"""The Unified Social Credit Identifier: codes really issued, and codes of our own that no slip of the pen survives."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.domain.uscc import (
    ALPHABET,
    CAPACITY,
    check,
    check_character,
    organisation_check,
    serial_of,
    uscc_for,
)
from services.registration.policy import load

GOLDEN = Path(__file__).with_name("golden") / "uscc_examples.csv"
SERIALS = st.integers(0, CAPACITY - 1)


def examples() -> list[dict[str, str]]:
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("example", examples(), ids=lambda example: f"{example['code']} {example['expected']}")
def test_codes_seen_in_the_world(example: dict[str, str]) -> None:
    problems = check(example["code"], load().uscc_authorities)
    if example["expected"] == "invalid_alphabet":
        assert problems == ("alphabet",)
        return
    assert ("check" not in problems) == (example["check_digit_ok"] == "yes")
    assert ("organisation_check" not in problems) == (example["org_code_check_ok"] == "yes")
    assert (problems == ()) == (example["expected"] == "valid")


@pytest.mark.parametrize(
    ("code", "problems"),
    [
        ("", ("length",)),
        ("91310106MA1FY0016", ("length",)),
        ("91310106MA1FY0016KK", ("length",)),
        ("91310106ma1fy0016k", ("alphabet",)),
        ("91310106MA1FY001６K", ("alphabet",)),
        ("91310106MA1FY0016K\n"[:18], ()),
        ("9131010\u0000MA1FY0016K", ("alphabet",)),
    ],
)
def test_what_is_no_identifier_at_all(code: str, problems: tuple[str, ...]) -> None:
    assert check(code) == problems


def test_an_authority_that_no_table_knows_is_named_where_the_table_is_given() -> None:
    first = "47310106MA1FY0016"
    code = first + check_character(first)
    assert check(code) == ()
    assert check(code, load().uscc_authorities) == ("authority",)


@pytest.mark.parametrize("first", ["A1", "N2", "Y1"])
def test_the_authorities_with_a_letter_are_valid(first: str) -> None:
    body = first + "310106MA1FY0016"
    assert check(body + check_character(body), load().uscc_authorities) == ()


def test_a_division_must_be_six_digits() -> None:
    first = "9131010AMA1FY0016"
    assert check(first + check_character(first)) == ("division",)


@given(SERIALS, st.sampled_from(["1", "2", "3"]))
def test_every_identifier_made_here_is_valid_and_belongs_to_the_district(serial: int, category: str) -> None:
    code = uscc_for(serial, category=category)
    assert check(code, load().uscc_authorities) == ()
    assert code.startswith(f"9{category}310106MA")


@given(SERIALS, SERIALS)
def test_two_serials_never_share_an_organisation_code(one: int, other: int) -> None:
    assert (uscc_for(one)[8:17] == uscc_for(other, category="2")[8:17]) == (one == other)


@given(SERIALS, st.sampled_from(["1", "2", "3"]))
def test_the_serial_is_read_back_from_its_identifier(serial: int, category: str) -> None:
    assert serial_of(uscc_for(serial, category=category)) == serial


def test_an_identifier_from_elsewhere_lifts_no_serial() -> None:
    assert serial_of("91310112087994932F") == 0


def test_the_first_hundred_thousand_identifiers_differ() -> None:
    assert len({uscc_for(serial) for serial in range(100_000)}) == 100_000


@pytest.mark.parametrize("serial", [-1, CAPACITY])
def test_a_serial_beyond_the_capacity_is_refused(serial: int) -> None:
    assert uscc_for(0) != uscc_for(CAPACITY - 1)
    with pytest.raises(ValueError, match="serial"):
        uscc_for(serial)


@pytest.mark.parametrize("division", ["31010", "3101066", "31010A", "３１０１０６"])
def test_a_division_that_is_not_six_digits_is_refused(division: str) -> None:
    with pytest.raises(ValueError, match="division"):
        uscc_for(1, division)


@given(SERIALS, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_noticed(serial: int, position: int, wrong: str) -> None:
    code = uscc_for(serial)
    changed = code[:position] + wrong + code[position + 1 :]
    assert (check(changed) == ()) == (changed == code)


@given(SERIALS, st.integers(0, 16))
def test_two_neighbours_changing_places_are_always_noticed(serial: int, position: int) -> None:
    """3^i and 3^(i+1) differ mod 31, and so do the weight 28 of position 17 and the 1 of the check character."""
    code = uscc_for(serial)
    swapped = code[:position] + code[position + 1] + code[position] + code[position + 2 :]
    assert (check(swapped) == ()) == (swapped == code)


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8), st.integers(0, 7), st.data())
def test_a_wrong_character_in_an_organisation_code_is_noticed_unless_the_values_agree_mod_11(
    body: str, position: int, data: st.DataObject
) -> None:
    digit, wrong = body[position], data.draw(st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
    changed = body[:position] + wrong + body[position + 1 :]
    same = (int(digit, 36) - int(wrong, 36)) % 11 == 0
    assert (organisation_check(changed) == organisation_check(body)) == same
