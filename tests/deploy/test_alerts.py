"""Every alert speaks of metrics that services export, and has a runbook whose commands are there; and the reverse."""

from __future__ import annotations

import importlib.util
import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client import REGISTRY

from deploy.local.stack import CHECKOUT
from libs.common import telemetry

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((CHECKOUT / "deploy/alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
RUNBOOKS = (CHECKOUT / "docs/runbooks.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## (\w+)$", RUNBOOKS, re.MULTILINE)
OF_PROMETHEUS = {"up"}
NOT_NAMES = {
    "sum", "by", "count", "abs", "rate", "increase", "delta", "histogram_quantile", "service", "digest", "le", "state",
    "status", "route",
}  # fmt: skip
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}


def exported() -> set[str]:
    """The names of all samples that /metrics of a service can have."""
    assert telemetry.REQUESTS is not None
    return {family.name + suffix for family in REGISTRY.collect() for suffix in SUFFIXES.get(family.type, ("",))}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_speaks_of_what_is_exported(rule: dict[str, Any]) -> None:
    bare = re.sub(r'"[^"]*"|\[\w+\]', "", rule["expr"])
    names = set(re.findall(r"[a-z_]{2,}", bare)) - NOT_NAMES
    assert names
    assert names <= exported() | OF_PROMETHEUS


def test_each_alert_has_its_runbook_and_each_runbook_its_alert() -> None:
    assert sorted(SECTIONS) == sorted(rule["alert"] for rule in RULES)
    assert len(set(SECTIONS)) == len(SECTIONS)


def test_the_commands_that_runbooks_name_are_there() -> None:
    modules = set(re.findall(r"python -m ([\w.]+)", RUNBOOKS))
    assert modules
    assert all(importlib.util.find_spec(module) for module in modules)
