"""Who invests in an enterprise and in what form: the facts that the negative list asks about. No personal data."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Literal

EnterpriseType = Literal[
    "limited_company",
    "joint_stock_company",
    "partnership",
    "sole_proprietorship",
    "individual_business",
    "farmers_cooperative",
]
InvestorKind = Literal["natural", "legal", "partnership"]
Capital = Literal["domestic", "hk_mo_tw", "foreign"]
TreatyClaim = Literal["cepa", "ecfa", "free_trade_agreement", "investment_agreement"]

COMPATRIOT_REGIONS = frozenset({"HK", "MO", "TW"})
_NOBODY = Decimal(0)
_WHOLE = Decimal(100)


@dataclass(frozen=True, slots=True)
class Investor:
    """One investor. `share` is an exact percent; investors with the same `affiliate_group` are affiliates.

    `is_fie`: an enterprise registered in China that itself has foreign investors.
    `settled_abroad`: a Chinese citizen who lives abroad, whose capital counts as foreign (Implementing Regulations
    of the Foreign Investment Law Art 48).
    """

    kind: InvestorKind
    country: str
    share: Decimal
    is_fie: bool = False
    settled_abroad: bool = False
    affiliate_group: str | None = None

    @property
    def is_foreign(self) -> bool:
        """Capital of Hong Kong, Macao and Taiwan counts as foreign (Implementing Regulations Art 48)."""
        return self.country != "CN" or self.is_fie or self.settled_abroad


@dataclass(frozen=True, slots=True)
class Holding:
    """Percents held: the Chinese parties together, the foreign ones together, and the largest foreign one."""

    chinese: Decimal
    foreign: Decimal
    largest_foreign: Decimal
    largest_foreign_with_affiliates: Decimal


@dataclass(frozen=True)
class Structure:
    """The form of an enterprise, its investors, its legal representative's nationality, and a claim to treaty terms."""

    enterprise_type: EnterpriseType
    investors: tuple[Investor, ...]
    legal_representative_nationality: str
    treaty_claim: TreatyClaim | None = None

    @cached_property
    def has_fie(self) -> bool:
        return any(investor.is_fie for investor in self.investors)

    @cached_property
    def foreign_investors(self) -> tuple[Investor, ...]:
        return tuple(investor for investor in self.investors if investor.is_foreign)

    @cached_property
    def capital(self) -> Capital:
        """Whose capital it is, as permits ask. What comes through an enterprise in China with foreign investors, or
        from a Chinese citizen settled abroad, is foreign: nobody has shown where else it belongs."""
        if not self.foreign_investors:
            return "domestic"
        compatriot = all(investor.country in COMPATRIOT_REGIONS for investor in self.foreign_investors)
        return "hk_mo_tw" if compatriot else "foreign"

    @cached_property
    def holding(self) -> Holding:
        """What is held where an FIE that invests inside China counts as a foreign investor."""
        return holding(self.investors, [investor.is_foreign for investor in self.investors])

    @cached_property
    def holding_without_fie(self) -> Holding:
        """What is held where such an FIE counts as Chinese: how far it is looked through is not said in law."""
        return holding(self.investors, [investor.is_foreign and not investor.is_fie for investor in self.investors])


def holding(investors: tuple[Investor, ...], foreign: Iterable[bool]) -> Holding:
    """Add up the shares. The affiliates of a foreign investor count with it, whatever their own origin."""
    total = largest = _NOBODY
    groups: dict[str, Decimal] = {}
    foreign_groups: set[str] = set()
    for investor, is_foreign in zip(investors, foreign, strict=True):
        if investor.affiliate_group is not None:
            groups[investor.affiliate_group] = groups.get(investor.affiliate_group, _NOBODY) + investor.share
        if is_foreign:
            total += investor.share
            largest = max(largest, investor.share)
            if investor.affiliate_group is not None:
                foreign_groups.add(investor.affiliate_group)
    with_affiliates = max([largest, *(groups[group] for group in foreign_groups)])
    return Holding(_WHOLE - total, total, largest, with_affiliates)
