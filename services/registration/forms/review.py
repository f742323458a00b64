"""What officers say to applications and deregistrations."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from services.registration.domain.corrections import Correction
from services.registration.forms.fields import FieldPath, Form, Words

CORRECTIONS_EXAMPLE: dict[str, Any] = {
    "fields": [{"field": "investors.0.share", "words": "请按验资报告填写出资比例。"}],
}

RULING_EXAMPLE: dict[str, Any] = {"outcome": "register", "reason": "已核对电信业务范围，属于增值电信业务承诺范围。"}


class CorrectionForm(Form):
    """A field of the form by its path, and what is to be corrected about it."""

    field: FieldPath
    words: Words


class CorrectionsForm(Form):
    """What the applicant is to correct, field by field."""

    model_config = ConfigDict(json_schema_extra={"examples": [CORRECTIONS_EXAMPLE]})

    fields: Annotated[list[CorrectionForm], Field(min_length=1, max_length=50)]

    def asked(self) -> list[Correction]:
        return [Correction(one.field, one.words) for one in self.fields]


class RulingForm(Form):
    """An officer's decision on an application, with its reason."""

    model_config = ConfigDict(json_schema_extra={"examples": [RULING_EXAMPLE]})

    outcome: Literal["register", "refuse"]
    reason: Words


class CountersignatureForm(Form):
    """What the second officer says to a registration that the first has proposed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"outcome": "confirm", "reason": "同意。"}]})

    outcome: Literal["confirm", "return"]
    reason: Words


class ExtensionForm(Form):
    """Why a decision needs more time."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "complex_case"}]})

    reason: Literal["complex_case", "opinion_sought"]


class DeregistrationRulingForm(Form):
    """An officer's decision on a general deregistration, with its reason."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"outcome": "deregister", "reason": "清算报告和清税证明齐全。"}]}
    )

    outcome: Literal["deregister", "refuse"]
    reason: Words
