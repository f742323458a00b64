"""Request bodies."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from services.licensing.use_cases import ApplyForPermit, Ruling, Way


def _printable(text: str) -> str:
    """Line breaks are a paragraph's; other control characters no database keeps and no page shows."""
    if not all(one.isprintable() or one in "\n\t" for one in text):
        raise PydanticCustomError("text_not_printable", "control characters are not allowed")
    return text


Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(_printable)
]
ItemCode = Annotated[str, Field(pattern="^P[0-9]{3}$")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class PermitApplicationForm(Body):
    """An application for one item. `commitment_accepted`: the conditions are promised in writing (way commitment)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"item_id": "P033", "way": "commitment", "commitment_accepted": True}]}
    )

    item_id: ItemCode
    way: Way
    commitment_accepted: bool = False

    def command(self, uscc: str) -> ApplyForPermit:
        return ApplyForPermit(uscc, self.item_id, self.way, self.commitment_accepted)


class RulingForm(Body):
    """An officer's decision, with its reason."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"outcome": "grant", "reason": "Premises and equipment meet the standard."}]}
    )

    outcome: Ruling
    reason: Words


class ReturnForm(Body):
    """Where a notification goes: the code of a department, or nobody's desk (null), where a person sees to it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"to": "market_regulation", "reason": "Prepaid cards are not our matter."}]}
    )

    to: Annotated[str, Field(pattern="^[a-z_]{2,80}$")] | None
    reason: Words
