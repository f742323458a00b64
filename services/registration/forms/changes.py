"""Changes of registered items, corrections of the past, and leaving the register."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID, uuid4

from pydantic import ConfigDict, Field

from libs.common.web.fields import Day
from services.registration import domain
from services.registration.domain.standing import Procedure
from services.registration.forms.fields import Activities, AreaCode, Capital, CountryCode, CurrencyCode, Form, Words
from services.registration.forms.investors import InvestorForm
from services.registration.forms.names import EnterpriseNameForm

CHANGE_EXAMPLE: dict[str, Any] = {"registered_capital": "8000000.00", "capital_currency": "CNY"}


class EnterpriseChangeForm(Form):
    """A change of registered items: at least one; capital and currency go together; `investors` are all there are then,
    with their shares. `adapts`: an organisation of the former laws on foreign investment is given up.
    `enterprise_name`: the new name, which the caller has reserved or which is free; the former is free in a year."""

    model_config = ConfigDict(json_schema_extra={"examples": [CHANGE_EXAMPLE], "minProperties": 1})

    area: AreaCode | None = None
    registered_capital: Capital | None = None
    capital_currency: CurrencyCode | None = None
    activities: Activities | None = None
    legal_representative_nationality: CountryCode | None = None
    investors: Annotated[list[InvestorForm], Field(min_length=1, max_length=50)] | None = None
    adapts: bool = False
    enterprise_name: EnterpriseNameForm | None = None

    def command(self, new_id: Callable[[], UUID] = uuid4) -> domain.EnterpriseChange:
        """The act this form asks for; names go to the parties and nowhere else."""
        investors = self.investors or []
        return domain.EnterpriseChange(
            area=self.area,
            registered_capital=self.registered_capital,
            capital_currency=self.capital_currency,
            activities=None if self.activities is None else tuple(self.activities),
            legal_representative_nationality=self.legal_representative_nationality,
            investors=None if self.investors is None else tuple(form.investor() for form in investors),
            parties=tuple(domain.Party(new_id(), "investor", form.kind, form.name, form.country) for form in investors),
            adapts=self.adapts,
            name=None if self.enterprise_name is None else self.enterprise_name.name(),
        )


class CorrectedForm(Form):
    """The items as they should have been held; capital and currency go together."""

    area: AreaCode | None = None
    registered_capital: Capital | None = None
    capital_currency: CurrencyCode | None = None
    activities: Activities | None = None
    legal_representative_nationality: CountryCode | None = None

    def command(self) -> domain.EnterpriseChange:
        given = {name: getattr(self, name) for name in type(self).model_fields if name != "activities"}
        return domain.EnterpriseChange(activities=None if self.activities is None else tuple(self.activities), **given)


class HistoryCorrectionForm(Form):
    """What is corrected, from `valid_from` to the day before `valid_to`, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "valid_from": "2026-01-05", "valid_to": "2026-02-01", "corrected": {"area": "310106013"},
                    "reason": "住所录入有误，档案记载为南京西路街道。",
                }
            ]
        }
    )  # fmt: skip

    valid_from: Day
    valid_to: Day
    corrected: CorrectedForm
    reason: Words


class DeregistrationForm(Form):
    """By which procedure the enterprise leaves the register."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"procedure": "simplified"}]})

    procedure: Procedure
