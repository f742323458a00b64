"""Reads the law of credit from the files beside this module and refuses data that contradicts itself."""

from functools import cache
from pathlib import Path

from libs.common.policy import digest, no_overlap, read_table, unique
from services.credit.domain.policy import (
    CREDIT_LISTS,
    KINDS,
    Deadline,
    Ground,
    InForce,
    InspectionResult,
    Measure,
    Policy,
    Term,
)

FOLDER = Path(__file__).parent


def load(folder: Path = FOLDER) -> Policy:
    """Read, check and index the policy of credit.

    Raises PolicyError (file, line, reason) for an unreadable row, a missing source, a row about an unknown ground, list
    or kind, periods that overlap, and a list or kind without its deadline or its term of repair.
    """
    grounds = read_table(folder / "credit_grounds.csv", Ground, required=("source", "list", "ground_code", "text"))
    unique(grounds, lambda row: row.ground_code)
    codes, lists = {row.ground_code for row in grounds}, {row.list for row in grounds}
    in_force = read_table(folder / "grounds_in_force.csv", InForce)
    unique(in_force, lambda row: row.ground_code)
    in_force.require(lambda row: row.ground_code in codes, "no ground {ground_code}")
    deadlines = read_table(folder / "deadlines.csv", Deadline)
    no_overlap(deadlines, lambda row: row.deadline, lambda row: (row.valid_from, row.valid_to))
    deadlines.require(lambda row: row.days > 0, "{deadline}: {days} days are none")
    terms = read_table(folder / "terms.csv", Term)
    unique(terms, lambda row: (row.concerns, row.term))
    terms.require(lambda row: row.concerns in codes | lists | KINDS, "{concerns}: no ground, list or kind")
    measures = read_table(folder / "restrictions.csv", Measure)
    unique(measures, lambda row: (row.list, row.restriction))
    measures.require(lambda row: row.list in lists, "no list {list}")
    results = read_table(folder / "inspection_results.csv", InspectionResult)
    unique(results, lambda row: (row.code_set, row.code))
    law = Policy(
        digest=digest(folder),
        grounds={row.ground_code: row for row in grounds},
        in_force={row.ground_code: row for row in in_force},
        deadlines=deadlines.rows,
        terms={(row.concerns, row.term): row for row in terms},
        measures=measures.rows,
        bad_results=frozenset((row.code_set, row.code) for row in results if row.bad),
    )
    for name in (*sorted(KINDS), *CREDIT_LISTS):
        if (name, "repair_after") not in law.terms:
            raise terms.error(len(terms.rows) - 1, f"no term of repair for {name}")
    for name in ("repair", *(f"listing_{one}" for one in CREDIT_LISTS)):
        if name not in {row.deadline for row in deadlines}:
            raise deadlines.error(len(deadlines.rows) - 1, f"no deadline {name}")
    return law


@cache
def current() -> Policy:
    """The policy this process serves, read once."""
    return load()
