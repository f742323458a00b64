"""The proof: the outside checker, a rebuild from the topics, and a wrong build that must not get past the checker."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from demo import wrong
from demo.run import Run
from deploy.local.issuer import token
from deploy.local.stack import CHECKOUT
from tests.checker import Report, Target, check


async def proof(run: Run) -> None:
    story = run.story
    shown = {"risk": token("auditor-1")}
    ran = tuple(run.urls)
    target = Target(
        run.stack.bootstrap_servers, run.stack.database_url, run.namespace, ran, urls=run.urls, tokens=shown
    )
    report = await check(target, run.window.attempts)
    story.section("The proof, from outside: HTTP answers, topics, read-only SQL")
    story.checked(report)
    story.expect(not report.violations, "nothing lost, nothing double, order kept")
    _tell_events(run, report)
    for process in run.processes.values():
        await asyncio.to_thread(process.stop)
    rebuilt, caught = await asyncio.gather(
        _rebuild(run), wrong.caught(run.stack, run.namespace, run.logs / "wrong-build.log")
    )
    _tell_rebuild(run, rebuilt)
    _tell_caught(run, caught)


def _tell_events(run: Run, report: Report) -> None:
    told = ", ".join(f"{service} {count}" for service, count in report.events.items() if count)
    run.story.say(f"events: {told}; {report.repeats} came again and had no effect", indent=4)


async def _rebuild(run: Run) -> dict[str, Any]:
    """The line that the rebuild prints; empty when it failed."""
    log = run.logs / "rebuild.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.risk.rebuild",
            cwd=CHECKOUT, env={**os.environ, **run.processes["risk"].env}, stdout=output, stderr=output,
        )  # fmt: skip
        code = await process.wait()
    found: dict[str, Any] = json.loads(log.read_text()) if code == 0 else {}
    return found


def _tell_rebuild(run: Run, rebuilt: dict[str, Any]) -> None:
    if run.story.expect(bool(rebuilt), "risk rebuilt from the topics equals the live table at a cut"):
        run.story.say(f"{rebuilt['events']} events, {rebuilt['enterprises']} enterprises, no difference", indent=4)


def _tell_caught(run: Run, caught: Report) -> None:
    run.story.expect(
        "I2" in caught.broken,
        "a wrong build of risk (position before effect, killed once in between) is caught: "
        f"{len(caught.violations)} violations of {', '.join(sorted(caught.broken))}",
    )
    if caught.violations:
        run.story.say(f"such as {caught.violations[0]}", indent=4)
