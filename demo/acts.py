"""The acts: a calm morning, a day with faults, a year of business time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaProducer

from demo.run import Run
from demo.story import quantile

CALM_FORMS, CALM_PER_SECOND = 80, 10
STORM_FORMS, STORM_CHANGES, DOUBLE_CLICKS, CLIENTS = 100, 100, 12, 8

Work = Callable[[], Awaitable[object]]


async def calm_morning(run: Run) -> None:
    run.story.section(f"A calm morning: {CALM_FORMS} forms, {CALM_PER_SECOND} a second")

    async def applicant(form: dict[str, Any]) -> None:
        uscc, sent = await run.submit(form)
        if uscc is not None:
            await run.window.follow(uscc, sent)

    async with asyncio.TaskGroup() as group:
        for form in islice(run.forms, CALM_FORMS):
            group.create_task(applicant(form))
            await asyncio.sleep(1 / CALM_PER_SECOND)
    waits = [one.scored - one.sent for one in run.window.followed]
    run.story.say(
        f"form to announced class: p50 {1000 * quantile(waits, 0.5):.0f} ms, p99 {1000 * quantile(waits, 0.99):.0f} ms "
        f"({len(waits)} registered; seven processes, Kafka and PostgreSQL share the cores)"
    )


async def day_with_faults(run: Run) -> None:
    forms = STORM_FORMS + DOUBLE_CLICKS
    run.story.section(f"A day with faults: {forms} forms and {STORM_CHANGES} changes from {CLIENTS} clients at once")
    killed: dict[str, float] = {}
    async with asyncio.TaskGroup() as followers:

        async def applicant(clicks: int) -> None:
            uscc, sent = await run.submit(next(run.forms), clicks)
            if uscc is not None:
                followers.create_task(run.window.follow(uscc, sent))

        async def kill(name: str) -> None:
            killed[name] = time.monotonic()
            run.processes[name].kill()
            run.processes[name].start()

        work: list[Work] = [*[partial(applicant, 2)] * DOUBLE_CLICKS, *[partial(applicant, 1)] * STORM_FORMS]
        work += [run.change_one] * STORM_CHANGES
        run.chance.shuffle(work)
        work.insert(len(work) // 5, partial(kill, "risk"))
        work.insert(len(work) // 2, partial(kill, "registration"))
        work.insert(len(work) // 3, partial(_send_unreadable, run))
        await asyncio.gather(*map(_client, [iter(work)] * CLIENTS))
    await run.quiet()
    _tell_recovery(run, killed)
    _tell_decisions(run)


async def _client(work: Iterator[Work]) -> None:
    """Take the next piece of work that no other client has taken."""
    for act in work:
        await act()


async def _send_unreadable(run: Run) -> None:
    """A record that is no event: it must be buried once, with its cause, and hold nobody up."""
    producer = AIOKafkaProducer(bootstrap_servers=run.stack.bootstrap_servers)
    await producer.start()
    try:
        await producer.send_and_wait(f"{run.namespace}registration.events", b"not an event", key=b"nobody")
    finally:
        await producer.stop()


def _tell_recovery(run: Run, killed: dict[str, float]) -> None:
    """An outage ends with the first answer to a request, or the first score of a form, that was sent within it."""
    answered = min(
        one.at for one in run.window.attempts
        if one.status is not None and one.sent and one.at and one.sent > killed["registration"]
    )  # fmt: skip
    after = [one for one in run.window.followed if one.sent > killed["risk"]]
    scored = min(one.scored for one in after) - killed["risk"]
    longest = max(one.scored - one.sent for one in run.window.followed)
    run.story.say(
        f"kill -9 registration in mid-stream: it took forms again after {answered - killed['registration']:.1f} s"
    )
    run.story.say(f"kill -9 risk in mid-stream: new scores after {scored:.1f} s (Kafka waits 6 s for a dead member)")
    run.story.say(
        f"the longest wait for a score was {longest:.1f} s; clients repeated {run.window.repeated} requests under "
        f"their keys and sent {DOUBLE_CLICKS} forms twice at once; one record on the topic could not be read"
    )


def _tell_decisions(run: Run) -> None:
    statuses = Counter(answer["status"] for _, answer in run.judged)
    run.story.say(
        f"{len(run.judged)} forms: {statuses['registered']} registered 准予登记, {statuses['in_review']} in review "
        f"人工审核, {statuses['refused']} refused 不予登记. For example:"
    )
    for status, outcome in (("refused", "refused"), ("in_review", "review")):
        form, answer = next(pair for pair in run.judged if pair[1]["status"] == status)
        run.story.decision(status.replace("_", " "), form, answer, outcome)
