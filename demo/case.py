"""One enterprise's life: its form, its permits, an inspection, a broken commitment, its credit, and the way back."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
from rich.markup import escape

from demo.applications import fishery_form, restaurant_form, telecom_form
from demo.run import Run
from deploy import city


async def three_forms(run: Run) -> None:
    """The restaurant is registered, the fishery refused, the telecom venture goes to an officer."""
    run.story.section("One form, three answers")
    office = run.office
    for form in (restaurant_form(), fishery_form()):
        answer = await office.act("applicant-1", "registration", "/v1/applications", form)
        run.judged.append((form, answer))
        if answer["status"] == "registered":
            run.case["uscc"], run.case["form"] = answer["uscc"], form
            run.story.say(f"[green]registered 准予登记[/] {_name(form)} as {answer['uscc']}")
        else:
            run.story.decision("refused 不予登记", form, answer, "refused")
    await _reviewed(run, telecom_form())


async def _reviewed(run: Run, form: dict[str, Any]) -> None:
    """Claimed by one registrar, closed to the other, sent back once, decided with a reason."""
    office = run.office
    answer = await office.act("applicant-2", "registration", "/v1/applications", form)
    path = f"/v1/applications/{answer['id']}"
    run.story.decision("in review 人工审核", form, answer, "review")
    await _claim(run, "registrar-1", "registration", "registration.review", answer["id"])
    words = "请说明增值电信业务的具体范围，并核对住所。"
    await office.act(
        "registrar-1", "registration", f"{path}/corrections", {"fields": [{"field": "area", "words": words}]}, of=path
    )
    corrected = {**form, "area": "310106013"}
    await office.act("applicant-2", "registration", f"{path}/resubmission", corrected, of=path)
    item = await _claim(run, "registrar-1", "registration", "registration.review", answer["id"])
    taken = await office.act(
        "registrar-2", "registration", f"/v1/work-items/{item}/claim", of=f"/v1/work-items/{item}", status=409
    )
    run.story.say(f"registrar 1 has it; registrar 2 is told: [dim]{escape(taken['detail'])}[/]", indent=6)
    ruling = {"outcome": "register", "reason": "属于我国入世承诺范围内的增值电信业务，外资比例符合上限。"}
    decided = await office.act("registrar-1", "registration", f"{path}/decision", ruling, of=path)
    run.story.expect(decided["status"] == "registered", f"sent back once, then registered by an officer: {_name(form)}")
    run.judged.append((form, decided))
    replay = await office.read("auditor-1", "registration", f"{path}/replay")
    run.story.expect(replay["agrees"], "an auditor has every decision on it judged again: it agrees")


async def permits(run: Run) -> None:
    """Licence before permit: what the one activity calls for, each of the four modes once."""
    office, uscc = run.office, run.case["uscc"]
    enterprise = f"/v1/enterprises/{uscc}"
    run.story.section("Licence before permit 先照后证: what a restaurant needs, in the four modes")
    needed = await office.until(
        lambda: office.read("applicant-1", "licensing", f"{enterprise}/requirements"), "permit requirements"
    )
    for one in needed["items"]:
        mark = "" if one["mode_confidence"] == "verified" else f" [yellow]({one['mode_confidence']}, unverified)[/]"
        due = {"yes": "", "no": " [dim]not needed any more[/]"}.get(
            one["due"], " [dim]if a question is answered yes[/]"
        )
        run.story.say(f"{one['item_id']} {one['item']}, {one['department_name']}: {one['mode']}{mark}{due}")
    await _double_notification(run)

    applications = f"{enterprise}/permit-applications"
    none = await office.act(
        "applicant-1", "licensing", applications, {"item_id": "P024", "way": "ordinary"}, status=422
    )
    run.story.say(f"direct cancellation: {escape(none['detail'])}")
    filing = await office.act("applicant-1", "licensing", applications, {"item_id": "P077", "way": "filing"})
    run.story.say(f"approval to filing: prepaid cards, {filing['status']} at once")
    given = {"item_id": "P033", "way": "commitment", "commitment_accepted": True}
    granted = await office.act("applicant-1", "licensing", applications, given)
    run.case["permit"] = granted["permit_id"]
    run.story.say(f"notification and commitment: fire safety, {granted['status']} at once on the written commitment")
    asked = await office.act("applicant-1", "licensing", applications, {"item_id": "P001", "way": "ordinary"})
    await _claim(run, "licensing-market-1", "licensing", "licensing.permit", asked["id"])
    path = f"/v1/permit-applications/{asked['id']}"
    decided = await office.act(
        "licensing-market-1", "licensing", f"{path}/decision",
        {"outcome": "grant", "reason": "材料齐全，符合法定形式。"}, of=path,
    )  # fmt: skip
    run.story.say(f"optimised service: food licence, {decided['status']} by an officer (by {asked['decide_by']})")
    certificate = await office.read(None, "licensing", f"/v1/permits/{granted['permit_id']}/certificate")
    run.story.expect(certificate["in_force"] and certificate["jws"].count(".") == 2, "anyone can check the certificate")


async def _double_notification(run: Run) -> None:
    """The registry has told the departments: one claims, one returns, the others will be late."""
    office, uscc = run.office, run.case["uscc"]

    async def sent(person: str, item: str) -> Any:
        found = await office.read(person, "licensing", f"/v1/notifications?uscc={uscc}")
        return next((one["id"] for one in found["items"] if one["item_id"] == item), None)

    market = await office.until(lambda: sent("licensing-market-1", "P001"), "the notification of market regulation")
    fire = await office.until(lambda: sent("licensing-fire-1", "P033"), "the notification of fire and rescue")
    claimed, returned = f"/v1/notifications/{market}", f"/v1/notifications/{fire}"
    await office.act("licensing-market-1", "licensing", f"{claimed}/claim", of=claimed)
    await office.act(
        "licensing-fire-1", "licensing", f"{returned}/return",
        {"to": None, "reason": "该场所由消防站属地大队管辖，请重新分流。"}, of=returned,
    )  # fmt: skip
    run.story.say(
        "double notification 双告知: market regulation claims it, fire and rescue returns it, the others wait"
    )


async def the_draw(run: Run) -> None:
    """Objects and inspectors drawn: ratios by class for supervisors and auditors, no class for anybody else."""
    office = run.office
    run.story.section("Double random, one publicity 双随机、一公开")
    for number, department in enumerate(("market_regulation", "market_regulation", "health", "fire_and_rescue"), 1):
        entry = {"account": f"inspector-{number}", "department": department, "conflicts": []}
        await office.act("supervisor-1", "supervision", "/v1/inspectors", entry)
    task = await _task(run, date(2026, 1, 12))
    await run.travel(date(2026, 1, 13))
    overdue = await office.read("supervisor-1", "licensing", "/v1/notifications?state=overdue&limit=200")
    run.story.expect(
        bool(overdue["items"]), f"a week later {len(overdue['items'])}+ notifications are overdue and escalated"
    )
    draw = await _drawn(run, task)
    run.case["distribution"] = await run.window.distribution()
    verified = await office.act("applicant-3", "supervision", f"/v1/draws/{draw['draw_id']}/verification")
    run.story.expect(verified["equal"], f"{len(draw['objects'])} of {draw['library_size']} drawn; anyone can verify it")
    public = await office.read(None, "supervision", f"/v1/draws/{draw['draw_id']}")
    run.story.expect("strata" not in public and "risk" not in str(public), "the public record tells no class")
    visits = await office.read("inspector-1", "supervision", "/v1/inspections?limit=200")
    visit = next(one for one in visits["items"] if one["uscc"] != run.case["uscc"])
    await _inspected(run, visit, "01")
    run.story.say("first visit: no problem found, confirmed by the second inspector")


async def _task(run: Run, on: date) -> str:
    plan = {
        "code_set": "joint_inspection", "items": ["P001"], "legal_basis": "guofa_2019_5",
        "ratios": {"A": 1, "B": 4, "C": 20, "D": 100}, "on": on.isoformat(),
    }  # fmt: skip
    filed = await run.office.act("supervisor-1", "supervision", "/v1/tasks", plan)
    run.story.say(f"task for {on}, ratios A 1 %, B 4 %, C 20 %, D 100 %; committed to seed {filed['commitment'][:16]}…")
    found: str = filed["id"]
    return found


async def _drawn(run: Run, task: str) -> dict[str, Any]:
    found: dict[str, Any] = await run.office.act("supervisor-1", "supervision", f"/v1/tasks/{task}/draw")
    audited = await run.office.read("auditor-1", "supervision", f"/v1/tasks/{task}/draw", purpose="audit")
    for stratum in audited["record"]["strata"]:
        letter, size, drawn = stratum["risk_class"], stratum["size"], len(stratum["drawn"])
        run.story.say(f"class {letter}: {drawn} of {size}", indent=6)
    return found


async def _inspected(run: Run, visit: dict[str, Any], *codes: str) -> None:
    """One inspector reports, the other one of the visit confirms; both show the inspection code."""
    first, second = visit["inspectors"][:2]
    path = f"/v1/inspections/{visit['id']}"
    results = [{"code_set": visit["code_set"], "code": code} for code in codes]
    await run.office.act(first, "supervision", f"{path}/result", {"code": visit["code"], "results": results})
    await run.office.act(second, "supervision", f"{path}/confirmation", {"code": visit["code"]})


async def the_broken_commitment(run: Run) -> None:
    """Found unkept, ordered to be mended, not mended: revoked, suspended, and the class rises with its reasons."""
    office, uscc = run.office, run.case["uscc"]
    run.story.section("A commitment is checked")
    before = await run.standing(uscc)
    run.story.standing("before the visit", before)
    held = await office.read("applicant-1", "licensing", f"/v1/enterprises/{uscc}/permits")
    commitment = next(one for one in held["items"] if one["id"] == run.case["permit"])["commitment_id"]
    check = {"uscc": uscc, "reason": "commitment_check", "commitment_id": commitment,
             "inspectors": ["inspector-1", "inspector-4"]}  # fmt: skip
    visit = await office.until(
        lambda: office.act("supervisor-1", "supervision", "/v1/inspections", check, status=201), "the commitment check"
    )
    result = {"code": None, "results": [{"code_set": "joint_inspection", "code": "09"}]}
    refused = await office.act(
        "inspector-1", "supervision", f"/v1/inspections/{visit['id']}/result", result, status=403
    )
    run.story.say(f"without the inspection code 检查码 no visit: [dim]{escape(refused['detail'])}[/]")
    await _inspected(run, visit, "09")
    await run.quiet()
    found = await run.standing(uscc)
    run.story.standing("the check finds it unkept", found)
    run.story.expect(found["risk_class"] >= "C", "the breach alone lifts the class to C at least")
    ordered = (await office.read("applicant-1", "supervision", "/v1/corrections"))["items"][0]
    run.story.say(f"ordered to correct by {ordered['due_on']}; nothing is done")
    await run.travel(_after(ordered))
    enterprise = await office.read(None, "registration", f"/v1/enterprises/{uscc}")
    run.story.expect([one["activities"] for one in enterprise["suspended"]] == [["6210"]],
                     "overdue: the permit is revoked and activity 6210 suspended on the licence")  # fmt: skip
    run.story.standing("after the revocation", await run.standing(uscc))


def _after(correction: dict[str, Any]) -> date:
    due = date.fromisoformat(correction["due_on"])
    return date.fromordinal(due.toordinal() + 1)


async def lists_and_restrictions(run: Run) -> None:
    """An officer lists it; the commitment mode is shut; the sampling ratio follows the class."""
    office, uscc = run.office, run.case["uscc"]
    run.story.section("The credit platform: a listing, and what law attaches to it")
    shown = await office.read("credit-1", "credit", f"/v1/enterprises/{uscc}/credit")
    breach = next(one for one in shown["records"] if one["ground"] == "CB1")
    run.case["breach"] = breach["id"]
    listing = await office.act(
        "credit-1", "credit", f"/v1/enterprises/{uscc}/listings",
        {"list": "serious_illegal_dishonest", "ground": "SE-GEN", "basis": breach["id"]},
    )  # fmt: skip
    run.case["listing"] = listing["id"]
    run.story.say(f"serious list 严重违法失信名单, ground SE-GEN (a permit revoked), until {listing['ends_on']}")
    await run.quiet()
    standing = await run.standing(uscc)
    run.story.standing("listed", standing)
    run.story.expect(standing["risk_class"] == "D", "class D, by its points and by the list")
    given = {"item_id": "P033", "way": "commitment", "commitment_accepted": True}
    shut = await office.act(
        "applicant-1", "licensing", f"/v1/enterprises/{uscc}/permit-applications", given, status=409
    )
    why = "; ".join(one["detail"] for one in shut.get("errors", []))
    run.story.say(f"commitment once more? [dim]{escape(shut['detail'])} {escape(why)}[/]")
    today = date.fromisoformat((await run.progress())["business_date"])
    task = await _task(run, today)
    draw = await _drawn(run, task)
    run.story.expect(uscc in draw["objects"], "the next draw takes it: the ratio of class D is 100 %")


async def the_city(run: Run) -> None:
    """Records from the city with duplicates, disorder and bad ones; each is answered once."""
    run.story.section("Records from the city: city.credit.records in, city.credit.outcomes out")
    place = run.stack.bootstrap_servers, run.namespace
    known = [uscc for _, uscc in run.registered[:12] if uscc != run.case["uscc"]]
    given = city.records(2026, known, 20)
    await city.send(*place, given)

    async def all_taken() -> Any:
        seen = await run.office.read("credit-1", "credit", "/v1/exchange")
        return seen["counts"] if sum(seen["counts"].values()) >= len(given) else None

    counts = await run.office.until(all_taken, "the city's records")
    await run.quiet()
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    run.story.say(f"{len(given)} sent: {told}")
    answers = {one.id: one for one in await city.outcomes(*place) if one.data.get("origin", "city") == "city"}
    rejected = [one for one in answers.values() if "reason" in one.data]
    for one in rejected[:2]:
        run.story.say(f"[yellow]rejected[/] {one.record_id}: {one.data['reason']} ({one.data['field']})", indent=6)
    answered = counts["accepted"] + counts["flagged"] + counts["rejected"]
    run.story.expect(len(answers) == answered, f"each record that was new is answered once: {len(answers)} outcomes")


async def the_way_back(run: Run) -> None:
    """Repair on its day, then time."""
    office, uscc = run.office, run.case["uscc"]
    run.story.section("Repair 信用修复, and months that pass step by step")
    early = await office.act("applicant-1", "credit", "/v1/repairs", {"target": run.case["listing"]}, status=409)
    run.story.say(f"too early: [dim]{escape(early['detail'])}[/]")
    days = [("2026-01-13", run.case["distribution"])]
    for to in (date(2026, 7, 6), date(2027, 3, 1)):
        steps = await run.travel(to)
        days.append((f"{to}, {steps} steps", await run.window.distribution()))
    for target in (run.case["breach"], run.case["listing"]):
        asked = await office.act("applicant-1", "credit", "/v1/repairs", {"target": target})
        await _claim(run, "credit-1", "credit", "credit.repair", asked["id"])
        path = f"/v1/repairs/{asked['id']}"
        await office.act(
            "credit-1", "credit", f"{path}/decision", {"granted": True, "reason": "整改到位，已完成核查。"}, of=path
        )
    await run.quiet()
    credit = await office.read("applicant-1", "credit", f"/v1/enterprises/{uscc}/credit")
    run.story.expect(credit["restrictions"] == [], "breach and listing are repaired; the commitment mode is open again")
    run.story.standing("repaired, 2027-03-01", await run.standing(uscc))
    await run.travel(date(2029, 2, 5))
    days.append(("2029-02-05", await run.window.distribution()))
    last = await run.standing(uscc)
    run.story.standing("three years on", last)
    run.story.expect(last["risk_class"] < "C", "class down, by repair and by time")
    run.story.distributions(days)


async def _claim(run: Run, person: str, service: str, queue: str, subject: str) -> str:
    """Find the open item of this subject in a queue and take it; its id."""

    async def find() -> Any:
        for state in ("open", "mine"):
            cursor = ""
            while True:
                page = await run.office.read(
                    person, service, f"/v1/work-items?queue={queue}&state={state}&limit=200{cursor}"
                )
                for one in page["items"]:
                    if one["subject"] == subject:
                        return state, one["id"]
                if page["next"] is None:
                    break
                cursor = f"&cursor={page['next']}"
        return None

    state, item = await run.office.until(find, f"the work item of {subject}")
    if state == "open":
        path = f"/v1/work-items/{item}"
        await run.office.act(person, service, f"{path}/claim", of=path, status=httpx.codes.OK)
    found: str = item
    return found


def _name(form: dict[str, Any]) -> str:
    return escape("".join(form["enterprise_name"].values()))
