"""Who invests, as forms and plans state it."""

from typing import Annotated

from pydantic import Field

from services.registration import domain
from services.registration.domain import filed
from services.registration.domain.structure import InvestorKind
from services.registration.forms.fields import Account, Capital, CountryCode, Form, GroupLabel, PartyName, Share


class ContributionForm(Form):
    """What an investor has subscribed, in the currency of the capital, and in which forms it is paid."""

    subscribed: Capital
    forms: Annotated[list[filed.ContributionForm], Field(min_length=1, max_length=6)]


class HolderForm(Form):
    """One investor of a plan: what the list asks about, and no name."""

    kind: InvestorKind
    country: CountryCode
    share: Share
    is_fie: bool = False
    settled_abroad: bool = False
    affiliate_group: GroupLabel | None = None

    def investor(self) -> domain.Investor:
        return domain.Investor(
            self.kind, self.country, self.share, self.is_fie, self.settled_abroad, self.affiliate_group
        )


class InvestorForm(HolderForm):
    """One investor. `share` in percent; `is_fie`: an enterprise in China that itself has foreign investors.

    Investors that are affiliates of one another carry the same `affiliate_group`, a label of the applicant's choice.
    """

    name: PartyName
    contribution: ContributionForm | None = None


class FounderForm(InvestorForm):
    """An investor of the form of establishment. `signer`: the account under which this investor signs the form; without
    one, who files declares to hold the form with this investor's signature."""

    signer: Account | None = None
