"""What a client may be told instead of an answer."""

from clients.registration.models import Problem


class Refused(Exception):
    """The service has refused; `problem` names each field with what to mend."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status} {problem.name}: {problem.detail}")
        self.problem = problem


class PlaceGone(Refused):
    """What came after this place of the feed is no longer kept: read the lists anew and begin without a cursor."""


class NoAnswer(Exception):
    """No answer within the client's patience. The command may have taken effect: its key will tell."""
