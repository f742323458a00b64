"""Tasks and their draws: filed, drawn once, shown in public without classes, repeated by whoever doubts."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Response

from libs.common.problems import Problem
from libs.common.web import Anyone, InTransaction, Looking, Reading, SigningKeys, TheClock, router
from libs.common.web.cursors import Cursor, Limit, after, page
from services.supervision import policy, repository, use_cases
from services.supervision.api.callers import Supervisor, SupervisorOrAuditor
from services.supervision.schemas import examples, forms, views

api = router()

TaskId = Annotated[UUID, Path(examples=[examples.TASK_ID])]
DrawId = Annotated[UUID, Path(examples=[examples.DRAW_ID])]


@api.post("/tasks", status_code=201, tags=["tasks"])
async def file_task(
    body: forms.TaskForm, caller: Supervisor, session: InTransaction, clock: TheClock, response: Response
) -> views.TaskView:
    """File a task (抽查任务) with the ratio of each risk class. The answer commits to a seed that nobody has seen; from
    now on anyone may read the commitment under /v1/draws/{draw_id}."""
    law = policy.current()
    task, draw = await use_cases.file_task(session, body.plan(clock.today(), law), law.digest, caller.subject, clock)
    response.headers["location"] = f"/v1/tasks/{task.id}"
    return _task(
        {**task.model_dump(), "draw_id": draw.id, "commitment": draw.commitment, "drawn_on": None, "inspections": 0}
    )


@api.get("/tasks", tags=["tasks"])
async def list_tasks(
    _: SupervisorOrAuditor, reading: Reading, cursor: Cursor = None, limit: Limit = 50
) -> views.TaskPage:
    """Tasks by the day on which they were filed."""
    begin = after(cursor, date.fromisoformat, UUID) or (None, None)
    found = await repository.fetch(reading, repository.TASKS, *begin, limit + 1)
    rows, more = page(found, limit, lambda row: [row["filed_on"], row["id"]])
    return views.TaskPage(items=[_task(row) for row in rows], next=more)


@api.get("/tasks/{task_id}", tags=["tasks"])
async def read_task(task_id: TaskId, _: SupervisorOrAuditor, reading: Reading) -> views.TaskView:
    """A task as it was filed."""
    row = await repository.fetch_one(reading, repository.TASK, task_id)
    if row is None:
        raise Problem("not-found", 404)
    return _task(row)


@api.post("/tasks/{task_id}/draw", status_code=201, tags=["tasks"])
async def draw_task(
    task_id: TaskId, _: Supervisor, session: InTransaction, keys: SigningKeys, clock: TheClock
) -> views.PublicDrawView:
    """Draw objects and inspectors, on the planned day or later. A task is drawn once: asked again, the draw that was
    made comes back. Each visit gets its inspection code."""
    row = await use_cases.draw_task(session, task_id, keys, clock)
    return views.PublicDrawView.model_validate({**(row.public_record or {}), "jws": row.public_jws})


@api.get("/tasks/{task_id}/draw", tags=["tasks"])
async def read_audited_draw(
    task_id: TaskId, _: SupervisorOrAuditor, looking: Looking, reading: Reading
) -> views.AuditedDrawView:
    """The auditor's record of a draw, signed: seed, strata, exclusions, inspectors, visits. Every look is recorded."""
    await looking.record()
    row = await repository.fetch_one(reading, repository.AUDITORS_RECORD, task_id)
    if row is None:
        raise Problem("not-found", 404)
    return views.AuditedDrawView(
        draw_id=row["id"], record=row["record"], record_digest=row["record_digest"], jws=row["record_jws"]
    )


@api.get("/tasks/{task_id}/draw/objects", tags=["tasks"])
async def list_draw_objects(
    task_id: TaskId, _: SupervisorOrAuditor, looking: Looking, reading: Reading, cursor: Cursor = None,
    limit: Limit = 50,
) -> views.DrawObjectPage:  # fmt: skip
    """The library as the draw found it, with the classes: what an auditor repeats it from. Every look is recorded."""
    await looking.record()
    [begin] = after(cursor, str) or (None,)
    found = await repository.fetch(reading, repository.DRAW_OBJECTS, task_id, begin, limit + 1)
    rows, more = page(found, limit, lambda row: [row["uscc"]])
    return views.DrawObjectPage(items=[views.DrawObjectView.model_validate(row) for row in rows], next=more)


@api.get("/draws/{draw_id}", tags=["draws"])
async def read_draw(draw_id: DrawId, _: Anyone, reading: Reading) -> views.PublicDrawView:
    """What anyone may know of a draw, from the day on which its task was filed."""
    row = await repository.fetch_one(reading, repository.PUBLIC_RECORD, draw_id)
    if row is None:
        raise Problem("not-found", 404)
    record, jws = row.pop("public_record"), row.pop("public_jws")
    return views.PublicDrawView.model_validate({**(record or row), "jws": jws})


@api.post("/draws/{draw_id}/verification", tags=["draws"])
async def verify_draw(draw_id: DrawId, _: Anyone, session: InTransaction) -> views.VerificationView:
    """Have the draw repeated from what was kept of its inputs, and compared with its records and its inspections."""
    verified = await use_cases.verify_draw(session, draw_id)
    return views.VerificationView(
        equal=verified.equal, commitment_opens=verified.commitment_opens, record_equal=verified.record_equal,
        visits_equal=verified.visits_equal,
    )  # fmt: skip


def _task(row: dict[str, Any]) -> views.TaskView:
    return views.TaskView.model_validate({**row, "on": row["on_date"]})
