"""What an inspection found: codes that may stand together, and what follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.supervision.domain.faults import Fault, FormReturned
from services.supervision.domain.policy import CodeSet, Correction, Policy


@dataclass(frozen=True, slots=True)
class Finding:
    """The codes, sorted, and what they come to. `correction`: what is open goes before what was met on the spot."""

    codes: tuple[tuple[CodeSet, str], ...]
    problem: bool
    refused: bool
    unreachable: bool
    correction: Correction

    @property
    def checked(self) -> bool:
        """Whether the visit could take place: who refused or was not there has not been checked."""
        return not (self.refused or self.unreachable)


def found(results: Sequence[tuple[CodeSet, str]], code_set: CodeSet, policy: Policy) -> Finding:
    """Read the result codes of one inspection. Raises FormReturned with every fault.

    Source: inspection_results.csv ("no problem" excludes all other codes; other codes combine).
    """
    faults: list[Fault] = []
    for n, (given_set, code) in enumerate(results):
        row = policy.results.get((given_set, code))
        if row is None or (given_set, code) not in policy.readings:
            faults.append(Fault(f"results.{n}.code", "code_unknown"))
        elif given_set != code_set:
            faults.append(Fault(f"results.{n}.code_set", "code_of_other_set", {"expected": code_set}))
        elif (given_set, code) in results[:n]:
            faults.append(Fault(f"results.{n}.code", "code_repeated"))
        elif row.exclusive and len(results) > 1:
            faults.append(Fault(f"results.{n}.code", "code_excludes_others"))
    if not results:
        faults.append(Fault("results", "codes_missing"))
    if faults:
        raise FormReturned(faults)
    readings = [policy.readings[one] for one in results]
    corrections = {reading.correction for reading in readings}
    return Finding(
        tuple(sorted(results)),
        problem=any(reading.problem for reading in readings),
        refused=any(reading.refused for reading in readings),
        unreachable=any(reading.unreachable for reading in readings),
        correction="ordered" if "ordered" in corrections else "met" if "met" in corrections else "none",
    )
