"""What a form files beside what is registered: contributions, who controls and owns in the end, who receives papers in
China, and the commitment to the negative list.

By law these are collected with the establishment (Registration Rules, SAMR Order 52, Art 7). That a form may leave some
out, is judged all the same, and says what is `lacking`, is the district's own setting.

Sources: Market Entity Registration Regulations Art 9; Order 52 Art 7; Announcement 62 of 2019 (actual controller as a
report item); Shanghai Foreign Investment Regulations Art 40, 41 (commitment). The forms of contribution and the ways of
control are those of the filing form of 2016-2018, from memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal
from uuid import UUID

from services.registration.domain.structure import InvestorKind

ContributionForm = Literal["cash", "kind", "intellectual_property", "land_use_right", "equity", "other"]
Control = Literal["shares", "agreement", "other"]
Item = Literal[
    "contributions", "actual_controller", "beneficial_owners", "service_agent_in_china", "negative_list_commitment"
]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What an investor has subscribed, in the currency of the capital, and in which forms it is paid."""

    subscribed: Decimal
    forms: tuple[ContributionForm, ...]


@dataclass(frozen=True, slots=True)
class Filed:
    """`contributions[i]` is that of investor i, or they are all left out. People and bodies by their random ids;
    `countries` and `kinds`: of each, as the form states them."""

    contributions: tuple[Contribution | None, ...] = ()
    actual_controller: UUID | None = None
    control: Control | None = None
    beneficial_owners: tuple[UUID, ...] = ()
    service_agent: UUID | None = None
    service_address: str | None = None
    negative_list_commitment: bool = False
    countries: Mapping[UUID, str] = field(default_factory=dict)
    kinds: Mapping[UUID, InvestorKind] = field(default_factory=dict)


def lacking(filed: Filed, *, foreign: bool) -> Sequence[Item]:
    """What the form leaves to be filed. The receiver of papers and the commitment are for foreign investors alone."""
    there: dict[Item, bool] = {
        "contributions": bool(filed.contributions),
        "actual_controller": filed.actual_controller is not None,
        "beneficial_owners": bool(filed.beneficial_owners),
    }
    if foreign:
        there["service_agent_in_china"] = filed.service_agent is not None
        there["negative_list_commitment"] = filed.negative_list_commitment
    return [item for item, given in there.items() if not given]
