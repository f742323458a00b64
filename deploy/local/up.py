"""Everything in one process until Ctrl-C: the stack and all services, on their usual ports."""

import os
import sys

from deploy.local import stack
from deploy.local.processes import LocalStackError
from deploy.local.services import environment

SERVICES = ("registration", "risk")


def up() -> int:
    try:
        running = stack.ensure_running(say=lambda line: print(line, flush=True))
    except LocalStackError as error:
        print(error, file=sys.stderr)
        return 1
    os.environ.update({name: value for name, value in environment(running).items() if name not in os.environ})
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    # Imported here: the services read the environment that was set above.
    from libs.common.run import run
    from libs.common.service import find

    services = [find(name) for name in SERVICES]
    for service in services:
        settings = service.load_settings()
        print(f"{service.name:<13} http://{settings.host}:{settings.port}/docs")
    print("Business time stands at its start and moves by: python -m libs.common.time_travel DATE")
    print("Ctrl-C stops the services; make down stops Kafka and PostgreSQL.", flush=True)
    run(*services)
    return 0


if __name__ == "__main__":
    sys.exit(up())
