"""For schemathesis: where it sends the documented example of a key, each call gets a key of its own.

Otherwise only the first command of a run would take effect and all others would be told that the key is in use.
"""

from itertools import count
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import schemathesis

from libs.common.web.documents import IDEMPOTENCY_KEY

calls = count()


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    name = IDEMPOTENCY_KEY["name"]
    if case.headers and case.headers.get(name) == IDEMPOTENCY_KEY["example"]:
        case.headers[name] = str(uuid5(NAMESPACE_URL, f"call {next(calls)}"))
