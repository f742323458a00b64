"""What a scorecard makes of known enterprises: their profiles, the counters, and what is announced."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import asyncpg
import msgspec
import numpy as np
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox
from libs.common.clock import Clock
from libs.common.kafka import partition_of
from services.risk import vectorised
from services.risk.domain import Scorecard
from services.risk.domain.sections import section_of
from services.risk.published_events import LETTERS, ClassChanged
from services.risk.repository import profiles
from services.risk.repository.facts import Known
from services.risk.repository.profiles import FORCE, SHADOW, Change, Counted, Profile, Standing, Traits
from services.risk.vectorised import Scores


class Said(NamedTuple):
    """What was announced last of an enterprise: its class by the scorecard in force, and since when it is in it."""

    risk_class: int
    since: date | None


async def judge_and_announce(
    session: AsyncSession, connection: asyncpg.Connection, known: Known, dates: Mapping[int, date],
    causes: Mapping[str, outbox.Cause], scorecard: Scorecard, clock: Clock,
) -> list[Said]:  # fmt: skip
    """Score registered enterprises by the scorecard in force, at their partitions' dates; write their profiles, and
    announce each class that is not the one announced last."""
    scores = _scores(known, dates, scorecard)
    found = await profiles.standing(connection, known.usccs, FORCE)
    announced = await _announced(connection, known.usccs, found)
    said, news, at = [], [], clock.now()
    columns = zip(
        known.usccs, announced, scores.score.tolist(), scores.risk_class.tolist(), scores.reasons.tolist(), strict=True
    )
    for uscc, before, score, risk_class, bits in columns:
        if before is not None and before.risk_class == risk_class:
            said.append(before)
            continue
        on = dates[partition_of(uscc)]
        said.append(Said(risk_class, on))
        reasons = vectorised.rule_names(scorecard, bits)
        was = None if before is None else before.risk_class
        news.append(Change(uscc, at, on, was, risk_class, score, reasons, scorecard.digest))
    _announce(session, news, causes, clock)
    await profiles.add_changes(connection, news)
    await _write(connection, known, scores, found, said, FORCE)
    return said


async def judge_beside(
    connection: asyncpg.Connection, known: Known, dates: Mapping[int, date], scorecard: Scorecard,
    said: Sequence[Said],
) -> None:  # fmt: skip
    """The same by the scorecard in the shadow, which announces nothing."""
    found = await profiles.standing(connection, known.usccs, SHADOW)
    await _write(connection, known, _scores(known, dates, scorecard), found, said, SHADOW)


def _scores(known: Known, dates: Mapping[int, date], scorecard: Scorecard) -> Scores:
    on = np.array([vectorised.days(dates[partition_of(uscc)]) for uscc in known.usccs], np.int32)
    return vectorised.score(vectorised.columns(known.live, scorecard), on, scorecard)


async def _announced(
    connection: asyncpg.Connection, usccs: Sequence[str], found: Mapping[str, Standing]
) -> list[Said | None]:
    """What was announced last of each enterprise, None where nothing was.

    A new profile may have been announced all the same, before its database was restored to an older state: the
    outbox, reconciled with the topic, knows.
    """
    new = [uscc for uscc in usccs if uscc not in found]
    sent = await profiles.last_said(connection, new, ClassChanged.type) if new else {}
    said = {uscc: Said(one.announced_class, one.class_changed_on) for uscc, one in found.items()}
    for uscc, data in sent.items():
        last = announcement(data)
        said[uscc] = Said(LETTERS.index(last.risk_class), last.assessed_on)
    return [said.get(uscc) for uscc in usccs]


def announcement(data: bytes) -> ClassChanged:
    """An announcement of ours, as it was said."""
    return msgspec.json.decode(data, type=ClassChanged)


def _announce(session: AsyncSession, news: Sequence[Change], causes: Mapping[str, outbox.Cause], clock: Clock) -> None:
    for change in news:
        session.info["cause"] = causes[change.uscc]
        event = ClassChanged(
            risk_class=LETTERS[change.after],
            before=None if change.before is None else LETTERS[change.before],
            score=change.score,
            reasons=change.reasons,
            assessed_on=change.assessed_on,
            scorecard=change.scorecard_digest,
        )
        outbox.add(session, event, subject=change.uscc, clock=clock)


async def _write(
    connection: asyncpg.Connection, known: Known, scores: Scores, found: Mapping[str, Standing],
    said: Sequence[Said], shadow: str,
) -> None:  # fmt: skip
    """Write profiles, and move the counters by what has changed."""
    moves: Counter[Counted] = Counter()
    rows = []
    columns = zip(
        known.usccs, said, _traits(known), scores.score.tolist(), scores.risk_class.tolist(),
        scores.next_step_on.tolist(), scores.reasons.tolist(), strict=True,
    )  # fmt: skip
    for uscc, (announced, since), traits, score, risk_class, next_step_on, reasons in columns:
        partition, was = partition_of(uscc), found.get(uscc)
        if was is None or (was.risk_class, was.traits) != (risk_class, traits):
            moves.update((partition, *key, risk_class) for key in dimensions(traits))
            if was is not None:
                moves.subtract((partition, *key, was.risk_class) for key in dimensions(was.traits))
        rows.append(
            Profile(
                uscc, partition, score, risk_class, announced, next_step_on, reasons, traits.division, traits.area,
                traits.foreign_invested, since,
            )
        )  # fmt: skip
    await profiles.write(connection, rows, shadow)
    await profiles.count(connection, moves, shadow)


def _traits(known: Known) -> list[Traits]:
    """What the facts say of where an enterprise stands in the register; None where they do not say."""
    columns = (known.values(name).tolist() for name in ("industry_risk", "area", "foreign_invested"))
    return [
        Traits(i // 100 if i >= 0 else None, f"{a:09}" if a >= 0 else None, f > 0 if f >= 0 else None)
        for i, a, f in zip(*columns, strict=True)
    ]


def dimensions(traits: Traits) -> tuple[tuple[str, str], ...]:
    """The dimensions in which an enterprise is counted, and its key in each; empty where it is unknown."""
    section = None if traits.division is None else section_of(traits.division)
    ownership = {None: "", True: "foreign", False: "domestic"}[traits.foreign_invested]
    return ("all", ""), ("sector", section or ""), ("area", traits.area or ""), ("ownership", ownership)
