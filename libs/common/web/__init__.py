"""HTTP for every service: problems instead of errors, one transaction per command, limits, health, metrics."""

from libs.common.web.app import create_app
from libs.common.web.commands import InTransaction, QuestionRoute, Reading, TheClock, TheLanguage, router
from libs.common.web.keys import SigningKeys
from libs.common.web.purpose import Looking, Purpose
from libs.common.web.rights import Anyone, allowed
from libs.common.web.running import Running
from libs.common.web.versions import IfMatch, Stale, tag

__all__ = [
    "Anyone",
    "IfMatch",
    "InTransaction",
    "Looking",
    "Purpose",
    "QuestionRoute",
    "Reading",
    "Running",
    "SigningKeys",
    "Stale",
    "TheClock",
    "TheLanguage",
    "allowed",
    "create_app",
    "router",
    "tag",
]
