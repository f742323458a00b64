"""Matters that follow on the registration."""

from typing import Annotated

from pydantic import ConfigDict, Field

from services.registration.domain.hand_over import Answer, Matter
from services.registration.forms.fields import Form


class HandOverForm(Form):
    """The matters that are to be handed over."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"matters": ["seal", "tax", "bank_account"]}]})

    matters: Annotated[list[Matter], Field(min_length=1, max_length=10)]


class AnswerForm(Form):
    """What they who handle a matter have answered."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"answer": "done"}]})

    answer: Answer
