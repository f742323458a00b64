"""The demonstration's forms are made of real codes, and its failure is told and seen in the exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date
from itertools import islice
from typing import Any

from demo import applications
from demo.applications import fishery_form, restaurant_form, telecom_form
from demo.story import Story
from deploy.local.stack import CHECKOUT
from services.registration import domain, policy
from services.registration.forms import ApplicationForm

MONDAY = date(2026, 1, 5)


def outcome(form: dict[str, Any]) -> str:
    law = policy.current()
    command = ApplicationForm.model_validate_json(json.dumps(form)).command()
    return domain.decide(domain.checked(command.application, law), law, MONDAY).outcome


def outcomes(count: int) -> Counter[str]:
    return Counter(map(outcome, islice(applications.forms(2026), count)))


def test_the_forms_pass_the_registry_in_the_proportions_of_a_district() -> None:
    found = outcomes(400)

    assert found["accepted"] > 0.7 * 400
    assert found["review"] > found["refused"] > 4


def test_every_run_tells_the_same_forms_and_marks_their_names_as_examples() -> None:
    once, again = list(islice(applications.forms(7), 50)), list(islice(applications.forms(7), 50))
    names = [form["enterprise_name"]["trade_name"] for form in once]

    assert once == again
    assert all(name.startswith("示例") for name in names)
    assert len(set(names)) == 50


def test_the_three_forms_of_the_story_have_the_three_answers() -> None:
    assert [outcome(form) for form in (restaurant_form(), fishery_form(), telecom_form())] == [
        "accepted",
        "refused",
        "review",
    ]


def test_one_thing_that_does_not_hold_is_kept_and_the_story_goes_on() -> None:
    story = Story()

    assert not story.expect(False, "nothing is lost")
    assert story.expect(True, "order is kept")
    assert story.failures == ["nothing is lost"]


def test_without_its_servers_it_says_where_to_look_and_fails() -> None:
    nowhere = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}

    told = subprocess.run(
        [sys.executable, "-m", "demo"], cwd=CHECKOUT, env={**os.environ, **nowhere}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip

    assert told.returncode == 1
    assert "The demonstration failed" in told.stdout
    assert ".local/demo" in told.stdout
