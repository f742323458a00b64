"""Registrations that were obtained by false papers."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from services.registration.forms.fields import Form, Words


class FalseRegistrationForm(Form):
    """What was found about the papers of a registration."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "身份证明系冒用，当事人已申诉并经核实。"}]})

    reason: Words


class ObjectionForm(Form):
    """What somebody objects to what is under public notice."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"words": "身份证明真实，附公证书。"}]})

    words: Words


class FalseRegistrationRulingForm(Form):
    """An officer's decision on a false registration; `responsible`: who answers for it and may not apply for three
    years."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"outcome": "withdraw", "reason": "公示期满无异议。", "responsible": ["legal_representative"]}]
        }
    )

    outcome: Literal["withdraw", "dismiss"]
    reason: Words
    responsible: Annotated[list[Literal["legal_representative", "investors"]], Field(max_length=2)] = Field(
        default_factory=list
    )
