"""python -m services.registration.cases [FILE ...]: put the golden cases of the negative list to the law.

Each line of a case file is a plan and the answer that the law gives to it. Exit 1 where the engine answers otherwise;
what it says then cites every row that it asked. It needs no database and no service: the data and this are enough.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from libs.common.policy import PolicyError, read_table
from services.registration import domain, policy
from services.registration.domain import Facts, Investor, Outcome, Policy, Screening, Structure
from services.registration.domain.policy import Scope
from services.registration.domain.structure import EnterpriseType
from services.registration.messages import text

FOLDER = policy.FOLDER / "cases"


@dataclass(frozen=True, slots=True)
class Case:
    """One plan and the answer to it. `item`: an item of the list that speaks (`9`, or `9/4` for its part 4), empty
    where none does. `reason`: a code of messages.csv that the answer gives, if any is asked for."""

    on: date
    scope: Scope
    place: str
    activity: str
    enterprise_type: EnterpriseType
    investors: str
    representative: str
    outcome: Outcome
    item: str
    reason: str
    why: str

    @property
    def facts(self) -> Facts:
        structure = Structure(self.enterprise_type, investors(self.investors), self.representative)
        return Facts(self.scope, self.place, (self.activity,), structure)


def investors(words: str) -> tuple[Investor, ...]:
    """`DE/a 20 FIE 30 TW@person 50`: whose, and how many percent. `FIE` is an enterprise in China with foreign
    investors, `/a` a group of affiliates, `@person` a natural person, `@abroad` a Chinese citizen settled abroad."""
    parts = words.split()
    return tuple(_investor(origin, share) for origin, share in zip(parts[::2], parts[1::2], strict=True))


def _investor(origin: str, share: str) -> Investor:
    whose, _, group = origin.partition("/")
    country, _, mark = whose.partition("@")
    if mark not in ("", "person", "abroad"):
        raise ValueError(f"{origin}: neither @person nor @abroad")
    is_fie = country == "FIE"
    return Investor(
        "natural" if mark else "legal", "CN" if is_fie else country, Decimal(share), is_fie, mark == "abroad",
        group or None,
    )  # fmt: skip


def read(path: Path) -> Iterator[tuple[int, Case]]:
    """The cases of a file with their lines. Raises PolicyError (file, line, reason) for one that cannot be read."""
    table = read_table(path, Case, required=("activity", "investors", "representative", "why"))
    for index, case in enumerate(table.rows):
        try:
            total = sum((one.share for one in investors(case.investors)), Decimal(0))
        except (ValueError, ArithmeticError) as error:
            raise table.error(index, f"investors: {error}") from error
        if total != 100:
            raise table.error(index, f"investors: the shares sum to {total}")
        yield table.lines[index], case


def failing(files: Iterable[Path], law: Policy) -> Iterator[tuple[Path, int, Case, Screening]]:
    """The cases to which the engine answers otherwise."""
    for path in files:
        for line, case in read(path):
            facts = case.facts
            found = domain.screen(law, case.on, facts.scope, facts.place, facts.activities, facts.structure)
            if not _agrees(case, found):
                yield path, line, case, found


def _agrees(case: Case, found: Screening) -> bool:
    entries = [finding.entry for finding in found.findings if finding.entry]
    items = {str(entry.item_no) for entry in entries} | {f"{entry.item_no}/{entry.part}" for entry in entries}
    reasons = {reason for finding in found.findings for reason in finding.reasons}
    return (
        case.outcome == found.outcome
        and (case.item in items if case.item else not items)
        and (not case.reason or case.reason in reasons)
    )


def told(case: Case, found: Screening) -> Iterator[str]:
    """What a person needs to see who is right: the plan, both answers, and each row that was asked."""
    yield f"{case.on} {case.scope} {case.activity}, {case.investors} ({case.why}): {found.outcome}, not {case.outcome}"
    for finding in found.findings:
        words = " ".join(text(reason, "en") for reason in finding.reasons)
        if entry := finding.entry:
            cited = f"{entry.edition}/{entry.scope}/{entry.item_no}/{entry.part} ({entry.confidence}, {entry.coverage})"
            yield f"  {finding.outcome} by negative_list.csv {cited}: {entry.text_summary}. {words} {entry.source}"
        else:
            yield f"  {finding.outcome}: {words}"


def main(files: list[Path]) -> int:
    law = policy.current()
    try:
        found = list(failing(files, law))
        total = sum(1 for path in files for _ in read(path))
    except PolicyError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for path, line, case, screening in found:
        sys.stdout.write(f"{path}:{line}: " + "\n".join(told(case, screening)) + "\n")
    sys.stdout.write(f"{total:,} cases, {len(found)} answered otherwise\n")
    return 1 if found else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m services.registration.cases", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    sys.exit(main(parser.parse_args().files or sorted(FOLDER.glob("*.csv"))))
