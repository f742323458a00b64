"""The checker on forms: why one waits for an officer, and which needed none."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from tests.checker.evidence import Evidence, Target
from tests.checker.registration import states_are_legal

ID = UUID(int=7)


def form(findings: list[str], name_grounds: list[str], concerns: list[Any]) -> dict[str, Any]:
    """A form that waits for an officer."""
    worst = max(["accepted", *findings], key=("accepted", "review", "refused").index)
    return {
        "id": ID, "filed_by": "applicant-1", "status": "in_review", "uscc": None, "round": 1, "version": 1,
        "corrections": "[]", "correct_by": None, "sign_by": None, "decided": None, "concerns": json.dumps(concerns),
        "decision": json.dumps({"outcome": worst, "findings": [{"outcome": one} for one in findings]}),
        "form": json.dumps({"name_grounds": [{"outcome": one} for one in name_grounds]}),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (form(["review"], [], []), None),
        (form([], ["review"], []), None),
        (form([], [], [{"field": "legal_representative"}]), None),
        (form([], [], []), "screened as accepted, and not decided"),
        (form([], ["refused"], []), "screened as refused, and not decided"),
    ],
    ids=["the law", "its name", "a person", "nothing", "a name that is refused"],
)
def test_a_form_waits_for_an_officer_where_the_law_its_name_or_a_person_gives_reason(
    row: dict[str, Any], told: str | None
) -> None:
    asked = {"queue": "registration.review", "closed_at": None, "subject": str(ID)}
    others = ("earlier_round", "enterprise_change", "deregistration", "enterprise", "signature")
    tables: Any = {"application": [row], "work_item": [asked], **dict.fromkeys(others, ())}
    found = states_are_legal(Evidence(Target("", ""), (), {"registration": tables}, {}, {}, {}, None)).violations
    assert found == (() if told is None else (f"application {ID}: in_review, {told}",))
