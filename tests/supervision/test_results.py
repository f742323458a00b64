"""Result codes: which may stand together, and what follows from them."""

from itertools import product

import pytest

from services.supervision import domain, policy
from services.supervision.domain import CodeSet

SETS: tuple[CodeSet, ...] = ("publicity_spot_check", "joint_inspection")


def found(code_set: CodeSet, *codes: str) -> domain.Finding:
    return domain.found([(code_set, code) for code in codes], code_set, policy.current())


def faults(code_set: CodeSet, *results: tuple[str, str]) -> set[tuple[str, str]]:
    with pytest.raises(domain.FormReturned) as returned:
        domain.found(results, code_set, policy.current())  # type: ignore[arg-type]
    return {(fault.field, fault.code) for fault in returned.value.faults}


def test_every_published_code_has_a_reading() -> None:
    codes = {key for key in policy.current().results if key[0] in SETS}
    assert set(policy.current().readings) == codes
    assert len(codes) == 9 + 14


@pytest.mark.parametrize(
    ("code_set", "codes", "problem", "refused", "unreachable", "correction"),
    [
        ("joint_inspection", ["01"], False, False, False, "none"),
        ("joint_inspection", ["02"], True, False, False, "met"),
        ("joint_inspection", ["03"], False, False, False, "none"),
        ("joint_inspection", ["04"], False, True, False, "none"),
        ("joint_inspection", ["09"], True, False, False, "ordered"),
        ("joint_inspection", ["10"], False, False, True, "none"),
        ("joint_inspection", ["02", "13"], True, False, False, "ordered"),
        ("joint_inspection", ["04", "09"], True, True, False, "ordered"),
        ("publicity_spot_check", ["1"], False, False, False, "none"),
        ("publicity_spot_check", ["3"], True, False, False, "ordered"),
        ("publicity_spot_check", ["4"], False, False, True, "none"),
        ("publicity_spot_check", ["6"], False, True, False, "none"),
        ("publicity_spot_check", ["7"], False, False, False, "none"),
    ],
)
def test_what_codes_come_to(
    code_set: CodeSet, codes: list[str], problem: bool, refused: bool, unreachable: bool, correction: str
) -> None:
    finding = found(code_set, *codes)
    assert (finding.problem, finding.refused, finding.unreachable) == (problem, refused, unreachable)
    assert finding.correction == correction
    assert finding.checked == (not refused and not unreachable), "a visit that could not take place has checked nothing"


def test_no_problem_excludes_all_other_codes_of_its_set() -> None:
    for code_set, good in zip(SETS, ("1", "01"), strict=True):
        others = [code for own, code in policy.current().readings if own == code_set and code != good]
        for other in others:
            assert ("results.0.code", "code_excludes_others") in faults(code_set, (code_set, good), (code_set, other))


def test_all_other_codes_combine() -> None:
    others = [code for own, code in policy.current().readings if own == "joint_inspection" and code != "01"]
    for one, other in product(others, others):
        if one < other:
            assert len(found("joint_inspection", other, one).codes) == 2


def test_codes_that_cannot_be_read_are_named_each_at_its_place() -> None:
    assert faults(
        "joint_inspection",
        ("joint_inspection", "99"), ("publicity_spot_check", "3"), ("joint_inspection", "09"),
        ("joint_inspection", "09"), ("disposition", "1"),
    ) == {
        ("results.0.code", "code_unknown"), ("results.1.code_set", "code_of_other_set"),
        ("results.3.code", "code_repeated"), ("results.4.code", "code_unknown"),
    }  # fmt: skip
    assert faults("joint_inspection") == {("results", "codes_missing")}
