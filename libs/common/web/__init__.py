"""HTTP for every service: problems instead of errors, one transaction per command, limits, health, metrics."""

from libs.common.web.app import create_app
from libs.common.web.commands import InTransaction, Reading, TheClock, TheLanguage, router
from libs.common.web.running import Running

__all__ = ["InTransaction", "Reading", "Running", "TheClock", "TheLanguage", "create_app", "router"]
