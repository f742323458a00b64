"""The demonstration's forms are made of real codes, and its failure is told and seen in the exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date
from itertools import islice

from demo.applications import forms, restless_changes, restless_form
from demo.story import Story
from deploy.local.stack import CHECKOUT
from services.registration import domain, forms, policy

MONDAY = date(2026, 1, 5)


def outcomes(count: int) -> Counter[str]:
    law = policy.current()
    found: Counter[str] = Counter()
    for form in islice(forms(2026), count):
        command = forms.ApplicationForm.model_validate_json(json.dumps(form)).command()
        found[domain.decide(domain.checked(command.application, law), law, MONDAY).outcome] += 1
    return found


def test_the_forms_pass_the_registry_in_the_proportions_of_a_district() -> None:
    found = outcomes(400)

    assert found["accepted"] > 0.7 * 400
    assert found["review"] > found["refused"] > 4


def test_every_run_tells_the_same_forms_and_marks_their_names_as_examples() -> None:
    once, again = list(islice(forms(7), 50)), list(islice(forms(7), 50))
    names = [form["enterprise_name"]["trade_name"] for form in once]

    assert once == again
    assert all(name.startswith("示例") for name in names)
    assert len(set(names)) == 50


def test_the_restless_enterprise_is_one_the_registry_accepts() -> None:
    law = policy.current()
    command = forms.ApplicationForm.model_validate_json(json.dumps(restless_form())).command()

    assert domain.decide(domain.checked(command.application, law), law, MONDAY).outcome == "accepted"
    for change in restless_changes():
        domain.checked_change(forms.EnterpriseChangeForm.model_validate_json(json.dumps(change)).command(), law)


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
