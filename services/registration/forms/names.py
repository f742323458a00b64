"""Names: what is looked up, and what is to be kept."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from services.registration import domain
from services.registration.domain.names import Plan
from services.registration.domain.structure import EnterpriseType
from services.registration.forms.fields import ActivityCode, Form, NamePart, PartyName, Share


class EnterpriseNameForm(Form):
    """The four parts of the name: division, trade name, industry, form."""

    division: NamePart
    trade_name: NamePart
    industry: NamePart
    form: NamePart

    def name(self) -> domain.EnterpriseName:
        return domain.EnterpriseName(self.division, self.trade_name, self.industry, self.form)


NAME_EXAMPLE: dict[str, Any] = {
    "enterprise_name": {"division": "上海", "trade_name": "青禾", "industry": "餐饮", "form": "有限公司"},
    "enterprise_type": "limited_company",
    "activity": "6210",
    "foreign_share": "60",
    "investors": ["Grünfeld Gastronomie GmbH"],
}


class NameForm(Form):
    """A name to be looked up, with what it is judged beside. `activity`: the main one; `investors`: their names, which
    are compared (an enterprise may carry on the name of one that invests in it) and not kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [NAME_EXAMPLE]})

    enterprise_name: EnterpriseNameForm
    enterprise_type: EnterpriseType
    activity: ActivityCode
    foreign_share: Share = Decimal(0)
    investors: Annotated[list[PartyName], Field(max_length=50)] = Field(default_factory=list)

    def plan(self) -> Plan:
        return Plan(
            self.enterprise_name.name(), self.enterprise_type, self.activity, self.foreign_share, tuple(self.investors)
        )


class NameReservationForm(NameForm):
    """A name to be kept for two months; for a year where the enterprise needs an approval before it is registered."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**NAME_EXAMPLE, "prior_approval": False}]})

    prior_approval: bool = False
