"""As much of Prometheus as our alerts use: scrapes of /metrics, and the expressions of deploy/alerts.yaml over them.

As there: a comparison keeps what it holds for, so that an alert fires where anything is left; what has been seen once
only has no rate; NaN compares with nothing.
"""

from __future__ import annotations

import math
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Vector = Mapping[Labels, float]
Ranged = Mapping[Labels, Sequence[float]]

TOKEN = re.compile(r'\s*(\d+\.\d+|\d+[smh]?|[a-z_]+|"[^"]*"|==|=~|!~|[=<>*(){}\[\],])')
COMPARES: Mapping[str, Callable[[float, float], bool]] = {"==": operator.eq, "<": operator.lt, ">": operator.gt}
UNITS = {"s": 1, "m": 60, "h": 3600}
STALE_SECONDS = 300.0


@dataclass(slots=True)
class Scrapes:
    """Samples by time, name and labels, each with the instance it came from."""

    taken: list[tuple[float, dict[tuple[str, Labels], float]]] = field(default_factory=list)

    def add(self, at: float, answers: Mapping[str, tuple[str, str | None]]) -> None:
        """`answers`: by instance its service and what /metrics said; None where nobody answered."""
        samples: dict[tuple[str, Labels], float] = {}
        for instance, (service, text) in answers.items():
            samples["up", frozenset({"instance": instance, "service": service}.items())] = float(text is not None)
            for family in text_string_to_metric_families(text or ""):
                for one in family.samples:
                    samples[one.name, frozenset({**one.labels, "instance": instance}.items())] = one.value
        self.taken.append((at, samples))

    def at(self, name: str, matches: Callable[[Labels], bool], within: float) -> dict[Labels, list[float]]:
        """What was seen of a metric in the last so many seconds before the newest scrape."""
        newest = self.taken[-1][0]
        found: dict[Labels, list[float]] = defaultdict(list)
        for at, samples in self.taken:
            if at > newest - within:
                for (sample, labels), value in samples.items():
                    if sample == name and matches(labels):
                        found[labels].append(value)
        return found


def fires(expression: str, scrapes: Scrapes) -> Vector:
    """What an alert's expression leaves; nothing where it does not fire."""
    tokens = TOKEN.findall(expression)
    assert "".join(tokens) == re.sub(r"\s", "", expression), "a part of the language that is not known here"
    found, rest = _comparison(tokens, scrapes)
    assert not rest, rest
    assert isinstance(found, Mapping)
    return found


Value = float | Mapping[Labels, float]


def _comparison(tokens: list[str], scrapes: Scrapes) -> tuple[Value, list[str]]:
    left, tokens = _product(tokens, scrapes)
    while tokens and tokens[0] in COMPARES:
        compare = COMPARES[tokens[0]]
        right, tokens = _product(tokens[1:], scrapes)
        assert isinstance(left, Mapping)
        bound = right if isinstance(right, Mapping) else dict.fromkeys(left, right)
        left = {at: value for at, value in left.items() if at in bound and compare(value, bound[at])}
    return left, tokens


def _product(tokens: list[str], scrapes: Scrapes) -> tuple[Value, list[str]]:
    left, tokens = _term(tokens, scrapes)
    while tokens and tokens[0] == "*":
        right, tokens = _term(tokens[1:], scrapes)
        assert isinstance(left, float)
        assert isinstance(right, Mapping)
        left = {at: left * value for at, value in right.items()}
    return left, tokens


def _term(tokens: list[str], scrapes: Scrapes) -> tuple[Value, list[str]]:
    word, rest = tokens[0], tokens[1:]
    if word[0].isdigit():
        return float(word), rest
    if word == "(":
        found, rest = _comparison(rest, scrapes)
        return found, rest[1:]
    if word in ("sum", "count"):
        by, rest = _listed(rest[2:])
        found, rest = _term(rest, scrapes)
        return _grouped(word, by, found), rest
    if word == "abs":
        found, rest = _term(rest, scrapes)
        assert isinstance(found, Mapping)
        return {at: abs(value) for at, value in found.items()}, rest
    if word in OVER_TIME:
        ranged, rest = _selected(rest[1:], scrapes)
        over_time = OVER_TIME[word]
        return {at: over_time(values) for at, values in ranged.items() if len(values) > 1}, rest[1:]
    if word == "histogram_quantile":
        share = float(rest[1])
        found, rest = _comparison(rest[3:], scrapes)
        assert isinstance(found, Mapping)
        return _quantile(share, found), rest[1:]
    ranged, rest = _selected(tokens, scrapes)
    newest = scrapes.taken[-1][1]
    return {at: values[-1] for at, values in ranged.items() if (word, at) in newest}, rest


def _selected(tokens: list[str], scrapes: Scrapes) -> tuple[Ranged, list[str]]:
    """A metric, with labels that it must have and a range where they are given."""
    name, tokens = tokens[0], tokens[1:]
    wanted: list[tuple[str, str, bool]] = []
    if tokens and tokens[0] == "{":
        end = tokens.index("}")
        for place in range(1, end, 4):
            label, how, quoted = tokens[place : place + 3]
            text = quoted.strip('"')
            wanted.append((label, re.escape(text) if how == "=" else text, how != "!~"))
        tokens = tokens[end + 1 :]
    within = STALE_SECONDS
    if tokens and tokens[0] == "[":
        within = float(tokens[1][:-1]) * UNITS[tokens[1][-1]]
        tokens = tokens[3:]

    def matches(labels: Labels) -> bool:
        has = dict(labels)
        return all(bool(re.fullmatch(pattern, has.get(label, ""))) == is_so for label, pattern, is_so in wanted)

    return scrapes.at(name, matches, within), tokens


def _listed(tokens: list[str]) -> tuple[set[str], list[str]]:
    end = tokens.index(")")
    return set(tokens[:end]) - {",", "("}, tokens[end + 1 :]


def _grouped(how: str, by: set[str], found: Value) -> Vector:
    assert isinstance(found, Mapping)
    groups: dict[Labels, list[float]] = defaultdict(list)
    for labels, value in found.items():
        groups[frozenset(one for one in labels if one[0] in by)].append(value)
    return {at: sum(values) if how == "sum" else float(len(values)) for at, values in groups.items()}


def _increase(values: Sequence[float]) -> float:
    """A counter that begins anew with its process has not gone down."""
    return sum(later - earlier if later >= earlier else later for earlier, later in pairwise(values))


OVER_TIME: Mapping[str, Callable[[Sequence[float]], float]] = {
    "increase": _increase, "rate": _increase, "delta": lambda values: values[-1] - values[0],
}  # fmt: skip
"""A rate is judged only against another rate of the same window, so that it need not be divided by time."""


def _quantile(share: float, buckets: Vector) -> Vector:
    """The upper bound of the bucket in which it lies; Prometheus goes on from there into the bucket."""
    groups: dict[Labels, list[tuple[float, float]]] = defaultdict(list)
    for labels, count in buckets.items():
        bound = next(float(value) for name, value in labels if name == "le")
        groups[frozenset(one for one in labels if one[0] != "le")].append((bound, count))
    found = {}
    for at, counts in groups.items():
        counts.sort()
        total = counts[-1][1]
        found[at] = next((bound for bound, count in counts if total and count >= share * total), math.nan)
    return found
