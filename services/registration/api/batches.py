"""Many forms at once, for agents who file for many."""

import json

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from libs.common.web.batch import BatchRoute, answered_by_line
from libs.common.web.documents import PROBLEM_RESPONSES
from libs.common.web.limits import NDJSON
from services.registration import forms, views
from services.registration.api.arguments import Applicant

api = APIRouter(prefix="/v1", route_class=BatchRoute, responses=PROBLEM_RESPONSES)

FORMS = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in forms.BATCH_EXAMPLE)
ANSWERS = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in views.BATCH_EXAMPLE)


@api.post(
    "/applications:batch", tags=["applications"], response_class=StreamingResponse,
    openapi_extra={
        "requestBody": {
            "required": True, "content": {NDJSON: {"schema": {"type": "string", "minLength": 1}, "example": FORMS}}
        }
    },
    responses={200: {"content": {NDJSON: {"schema": {"type": "string"}, "example": ANSWERS}}}},
)  # fmt: skip
async def submit_batch(request: Request, _: Applicant) -> StreamingResponse:
    """Submit many forms: a line of NDJSON for each, `{"form": ..., "key": ...}`. Each is what `POST /v1/applications`
    does under that key, otherwise under the batch's with the number of its line, and is answered in a line of its own;
    a last line says that these were all. Where an answer breaks off, send the batch again: what stands is answered,
    the rest is done."""
    return await answered_by_line(request, "/v1/applications")
