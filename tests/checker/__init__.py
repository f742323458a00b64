"""The outside checker: proves the invariants of a run from HTTP answers, topics and read-only SQL.

It imports nothing of the services or their libraries, and repeats none of their code: what an event means, which
points a fact earns and which identifier is valid are written here a second time, from the published rules.
"""

from tests.checker.check import check
from tests.checker.commands import Attempt
from tests.checker.evidence import Target
from tests.checker.record import Record
from tests.checker.report import Checked, Report

__all__ = ["Attempt", "Checked", "Record", "Report", "Target", "check"]
