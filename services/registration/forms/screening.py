"""A plan that is tried against the negative list."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from libs.common.web.fields import Day
from services.registration import domain
from services.registration.domain.policy import DISTRICT, Scope
from services.registration.domain.structure import EnterpriseType, TreatyClaim
from services.registration.forms.fields import Activities, CountryCode, Form, PlaceCode
from services.registration.forms.investors import HolderForm

SCREENING_EXAMPLE: dict[str, Any] = {
    "on": "2024-11-01",
    "activities": ["5612"],
    "enterprise_type": "limited_company",
    "investors": [
        {"kind": "legal", "country": "DE", "share": "30"},
        {"kind": "legal", "country": "CN", "share": "70"},
    ],
    "legal_representative_nationality": "CN",
}


class ScreeningForm(Form):
    """A plan to be tried against the negative list: no names. `on`: the day it is judged for, otherwise today;
    `scope`: the list of the pilot free-trade zones or the national one; `place`: a division code, 6 or 9 digits."""

    model_config = ConfigDict(json_schema_extra={"examples": [SCREENING_EXAMPLE]})

    on: Day | None = None
    scope: Scope = "national"
    place: PlaceCode = DISTRICT
    activities: Activities
    enterprise_type: EnterpriseType
    investors: Annotated[list[HolderForm], Field(min_length=1, max_length=50)]
    legal_representative_nationality: CountryCode
    treaty_claim: TreatyClaim | None = None

    def facts(self) -> domain.Facts:
        """What the plan states, as a decision rests on it."""
        structure = domain.Structure(
            self.enterprise_type,
            tuple(one.investor() for one in self.investors),
            self.legal_representative_nationality,
            self.treaty_claim,
        )
        return domain.Facts(self.scope, self.place, tuple(self.activities), structure)
