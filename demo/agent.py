"""An agent's program at the window: many forms at once by the typed client, broken off and sent again."""

from __future__ import annotations

from itertools import islice

import msgspec

from clients.registration import ApplicationForm, Line, Registration
from demo.run import Run
from deploy.local.issuer import token

FORMS, BROKEN_OFF = 40, 15


async def an_agent(run: Run) -> None:
    run.story.section(f"An agent files {FORMS} forms as one batch, and the line breaks")
    forms = {
        f"agent-{number}": msgspec.convert(form, ApplicationForm, strict=False)
        for number, form in enumerate(islice(run.forms, FORMS))
    }
    async with Registration(run.urls["registration"], lambda: token("agent-1")) as registry:
        place = (await registry.changes(start="now")).next
        first: list[Line] = []
        async for line in registry.submit_all(forms):
            first.append(line)
            if len(first) == BROKEN_OFF:
                break
        heard = [line async for line in registry.submit_all(forms)]
        repeated = sum(line.replayed for line in heard)
        registered = {line.judged.uscc for line in heard if line.judged and line.judged.uscc}
        run.story.say(
            f"broken off after {len(first)} answers; sent again: {repeated} answered from what stands, the rest done"
        )
        run.story.expect(
            [line.key for line in heard] == list(forms) and heard[:BROKEN_OFF] == [_again(line) for line in first],
            "each form has one answer, the same as before",
        )
        told: set[str] = set()
        while (page := await registry.changes(place)).items:
            told |= {change.subject for change in page.items if change.type.endswith("enterprise_registered.v1")}
            place = page.next
        run.story.expect(told == registered, f"the feed of changes tells the agent of its {len(told)} enterprises")


def _again(line: Line) -> Line:
    return msgspec.structs.replace(line, replayed=True)
