"""What a person has to mend before an act can be done."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend: the field's path, a stable code, and figures for the sentence; never what was typed."""

    field: str
    code: str
    params: Mapping[str, str] = dataclasses.field(default_factory=dict)


class FormReturned(Exception):
    """The form goes back, with every fault at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(", ".join(f"{fault.field}: {fault.code}" for fault in faults))
        self.faults = tuple(faults)
