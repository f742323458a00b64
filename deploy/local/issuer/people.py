"""The demo people, one or more for each role. They are named by what they do; nobody real is meant."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deploy.local.processes import LocalStackError

CITY = "city"
"""A program, not a person: it asks for tokens with its secret and never signs in."""


@dataclass(frozen=True, slots=True)
class Person:
    """`subject` is the account's id; `department` is a policy code where the role belongs to one."""

    subject: str
    zh: str
    en: str
    roles: tuple[str, ...]
    department: str | None


@cache
def people() -> dict[str, Person]:
    """Everybody whom the issuer knows, by subject."""
    with Path(__file__).with_name("people.csv").open(encoding="utf-8", newline="") as file:
        found = [
            Person(row["subject"], row["zh"], row["en"], tuple(row["roles"].split()), row["department"] or None)
            for row in csv.DictReader(file)
        ]
    return {person.subject: person for person in found}


def person(subject: str) -> Person:
    """Raises LocalStackError with the known names."""
    try:
        return people()[subject]
    except KeyError:
        raise LocalStackError(f"Nobody is called {subject!r}. There are: {', '.join(people())}.") from None
