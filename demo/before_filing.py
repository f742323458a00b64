"""What anyone may ask before a form is filed: the list of any day, and a name; and what an edition means for all."""

from __future__ import annotations

from typing import Any

from rich.markup import escape

from demo.applications import restaurant_form
from demo.run import Run

PRINTING = {
    "activities": ["2311"],
    "enterprise_type": "limited_company",
    "investors": [{"kind": "legal", "country": "DE", "share": "100"}],
    "legal_representative_nationality": "DE",
}


async def before_filing(run: Run) -> None:
    run.story.section("Before anything is filed: anyone asks, nothing is kept")
    outcomes = []
    for on in ("2024-10-31", "2024-11-01"):
        said = await run.office.question("registration", "/v1/screenings", {**PRINTING, "on": on})
        outcomes.append(said["outcome"])
        run.story.say(f"printing publications, wholly German, on {on}: {said['outcome']}")
        for sentence in said["explanation"]:
            run.story.say(f"[dim]{escape(sentence)}[/]", indent=6)
    run.story.expect(outcomes == ["refused", "accepted"], "each day by the edition of that day, with its row")
    await _a_name(run)
    impact = "/v1/edition-impact?before=2024-10-31&after=2024-11-01"
    moved = (await run.office.look("registrar-1", "registration", impact)).text.splitlines()[2:]
    run.story.say(f"the edition of 2024-11-01 moves {len(moved)} of the enterprises and open applications here")


async def _a_name(run: Run) -> None:
    """One that may not be, one that goes to an officer, and one that is kept for the restaurant."""
    form = restaurant_form()
    asked = {"enterprise_type": form["enterprise_type"], "activity": "6210", "foreign_share": "60"}
    for trade_name in ("法国", "法国梧桐"):
        name = {**form["enterprise_name"], "trade_name": trade_name}
        said: dict[str, Any] = await run.office.question(
            "registration", "/v1/name-checks", {**asked, "enterprise_name": name}
        )
        (ground,) = said["grounds"]
        run.story.say(f"{''.join(name.values())}: {said['outcome']}, Art {ground['article']}: {ground['sentence']}")
    kept = {**asked, "enterprise_name": form["enterprise_name"]}
    reserved = await run.office.act("applicant-1", "registration", "/v1/name-reservations", kept)
    taken = await run.office.act("applicant-2", "registration", "/v1/name-reservations", kept, status=422)
    run.story.say(f"{reserved['full_name']} is kept for its applicant until {reserved['until']}; another one is told:")
    run.story.say(f"[dim]{escape(taken['errors'][0]['detail'])}[/]", indent=6)
