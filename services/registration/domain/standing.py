"""Whether an enterprise may still act on the register."""

from typing import Literal

Procedure = Literal["general", "simplified"]
Standing = Literal["registered", "deregistration_filed", "deregistered", "withdrawn"]


class Deregistered(Exception):
    """The enterprise has left the register: nothing of it can be changed."""


class DeregistrationFiled(Exception):
    """A deregistration is under way already."""


class Withdrawn(Exception):
    """The registration was withdrawn: it had been obtained by false papers."""
