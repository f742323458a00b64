"""What is promised to the city and asked of it is what credit really takes and tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest

from deploy import city
from deploy.contracts import events, outside
from deploy.contracts.events import Published
from libs.common.service import find
from services.credit import policy
from services.credit.domain import intake
from services.credit.domain.intake import CityRecord, Reason, Rejection
from services.credit.domain.policy import KINDS
from services.registration.published_events import EnterpriseRegistered

[TAKEN] = outside.taken()
USCC = "91310106MA0000015B"
BY_THE_LAW: set[Reason] = {"unknown_ground", "ground_not_of_kind", "impossible_date"}
"""What no schema can say: which grounds there are, and which days the calendar has."""
SCHEMA = jsonschema.Draft202012Validator(TAKEN.schema, format_checker=jsonschema.FormatChecker())


def taken(data: Any) -> CityRecord | Rejection:
    """What credit makes of a record that comes as the city sends it."""
    headers = {"ce_id": b"1", "ce_source": TAKEN.schema["x-source"].encode(), "ce_type": TAKEN.type.encode()}
    return intake.read(json.dumps(data).encode(), headers, policy.current()).outcome


def fits(data: Any) -> bool:
    return SCHEMA.is_valid(data)


def test_the_examples_are_taken() -> None:
    for example in TAKEN.schema["examples"]:
        assert fits(example)
        assert isinstance(taken(example), CityRecord)


def test_the_city_that_is_played_sends_what_is_stated() -> None:
    assert (TAKEN.type, TAKEN.schema["x-source"], TAKEN.topic) == (city.TYPE, city.SOURCE, city.RECORDS)
    sent = [one for one in city.records(7, [USCC], 60) if isinstance(one, Mapping)]
    outcomes = [(fits(one), taken(one)) for one in sent]
    assert sum(isinstance(outcome, CityRecord) for _, outcome in outcomes) >= 60
    for fitting, outcome in outcomes:
        if isinstance(outcome, CityRecord):
            assert fitting, outcome


VALUES: list[Any] = [
    None, True, -1, 0, 1, 3, 2**31 - 1, 2**31, 1.5, [], {}, "", "x", "sh-1", "sh 1", "市", "a" * 100, "a" * 101,
    *sorted(KINDS), "gossip", "PP2", "ZZ9", "CB1", USCC, USCC[:17], USCC + "0", USCC[:17] + "I", USCC.lower(),
    "2025-12-15", "1899-12-31", "2025-02-30", "2025-12-5", "20251215", "2025-12-15T00:00:00Z",
]  # fmt: skip


@pytest.mark.parametrize("field", [*TAKEN.schema["properties"], "more"])
def test_what_fits_is_turned_away_by_the_law_alone_and_what_does_not_fit_is_turned_away(field: str) -> None:
    whole = city.record("sh-1", USCC, ground="PP2")
    for record in ({k: v for k, v in whole.items() if k != field}, *({**whole, field: value} for value in VALUES)):
        outcome = taken(record)
        if fits(record):
            assert isinstance(outcome, CityRecord) or outcome.reason in BY_THE_LAW or missing_ground(record), record
        else:
            assert isinstance(outcome, Rejection), record


def missing_ground(record: Mapping[str, Any]) -> bool:
    """A breach without its ground: whether a ground is needed depends on the kind."""
    return record["kind"] == "commitment_breach" and record.get("ground") is None


def test_the_kinds_are_those_of_the_law() -> None:
    assert set(TAKEN.schema["properties"]["kind"]["enum"]) == KINDS
    assert get_args(Reason), "the reasons are a closed list"


def test_the_city_is_told_of_acceptance_and_rejection_and_of_nothing_else() -> None:
    [told] = outside.told()
    assert (told.topic, told.service) == (city.OUTCOMES, "credit")
    assert told.types == (city.ACCEPTED, city.REJECTED) == tuple(find("credit").outward)


def test_a_topic_that_nobody_states_and_a_statement_that_nobody_takes_are_told(tmp_path: Path) -> None:
    (tmp_path / "city.gossip.json").write_text("{}")
    assert list(outside.faults(events.published(), tmp_path)) == [
        "city.credit.records: credit takes it and contracts/outside does not say what comes there",
        "city.gossip: stated in contracts/outside, and no service takes it (service.py)",
    ]


@pytest.mark.parametrize("said", [{}, {city.ACCEPTED: Published("registration", EnterpriseRegistered)}])
def test_what_is_told_to_outsiders_without_being_said_is_told(said: dict[str, Published]) -> None:
    faults = list(outside.faults(said))
    assert faults[0] == f"{city.ACCEPTED}: credit tells it on city.credit.outcomes and does not say it"
    assert not list(outside.faults(events.published()))
