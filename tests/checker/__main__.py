"""python -m tests.checker --bootstrap HOST:PORT --database URL --namespace NAME: exit 0 when every invariant holds."""

import argparse
import asyncio
import sys
from pathlib import Path

from rich.console import Console

from tests.checker.check import check
from tests.checker.evidence import HEARS, Target
from tests.checker.record import Record, load


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.checker", description=__doc__)
    parser.add_argument("--bootstrap", required=True, help="Kafka's bootstrap servers")
    parser.add_argument("--database", required=True, help="a PostgreSQL URL that may read every service's database")
    parser.add_argument("--namespace", default="", help="the prefix of topics and databases")
    parser.add_argument("--services", nargs="+", default=list(HEARS), help="those that ran; all, if not given")
    parser.add_argument("--commands", type=Path, help="JSON lines: the journal of the run, or what clients sent")
    parser.add_argument("--risk", help="the base URL of risk, to compare what it answers")
    parser.add_argument("--risk-token", help="a token that opens it; its issuer knows who may")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args()
    urls = {"risk": given.risk} if given.risk else {}
    tokens = {"risk": given.risk_token} if given.risk_token else {}
    target = Target(given.bootstrap, given.database, given.namespace, given.services, urls=urls, tokens=tokens)
    attempts, record = load(given.commands) if given.commands else ([], Record())
    report = asyncio.run(check(target, attempts, record if record.looks else None))
    if given.json:
        sys.stdout.write(report.as_json() + "\n")
    else:
        report.print(Console())
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
