"""When the commitment mode (告知承诺) is shut to an enterprise.

Sources: 国办发〔2020〕42号; Shanghai Business Environment Regulations 2020 Art 26, 2024 Art 27; Shanghai Social Credit
Regulations Art 30.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.licensing.domain.catalogue import Bar, BarName

State = Literal["given", "unkept", "kept", "revoked", "ended"]
"""`unkept`: a check found it so, correction is ordered; `kept`: corrected in time; `revoked`: not corrected, the permit
is gone; `ended`: its permit ended with the enterprise."""

UNREPAIRED: tuple[State, ...] = ("unkept", "revoked")
COMMITMENT_MODE = "commitment_mode"


@dataclass(frozen=True, slots=True)
class Bars:
    """A rule that shuts the mode, and on what: grounds of credit, or earlier commitments."""

    bar: Bar
    grounds: tuple[str, ...]


def bars_against(
    restrictions: Sequence[str], credit_grounds: Sequence[str], unrepaired: Sequence[str], law: Mapping[BarName, Bar]
) -> tuple[Bars, ...]:
    """Every rule by which the mode is shut; none where it is open. `unrepaired`: ids of earlier commitments that were
    not kept and are not repaired."""
    found = []
    if COMMITMENT_MODE in restrictions:
        found.append(Bars(law["credit_restriction"], tuple(credit_grounds)))
    if unrepaired:
        found.append(Bars(law["commitment_unrepaired"], tuple(unrepaired)))
    return tuple(found)
