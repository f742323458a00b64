"""Everything in one process until Ctrl-C: the stack and all services, on their usual ports."""

import os
import sys
import time
from itertools import groupby
from threading import Thread

from deploy.local import stack
from deploy.local.issuer import people
from deploy.local.processes import LocalStackError
from deploy.local.services import environment, is_ready

SERVICES = tuple(sorted(path.parent.name for path in (stack.CHECKOUT / "services").glob("*/service.py")))


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
    settings = {service.name: service.load_settings() for service in services}
    urls = {name: f"http://{one.host}:{one.port}" for name, one in settings.items()}
    for name, url in urls.items():
        print(f"{name:<13} {url}/docs")
    print(f"{'issuer':<13} {running.issuer_url}")
    _print_logins()
    print("Business time stands at its start and moves by: python -m libs.common.time_travel DATE", flush=True)
    Thread(target=_say_when_ready, args=[list(urls.values())], daemon=True).start()
    run(*services)
    return 0


def _print_logins() -> None:
    print("Demo logins (choose one on the sign-in page, or print a token: python -m deploy.local.issuer token PERSON):")
    for role, some in groupby(people().values(), lambda person: " ".join(person.roles)):
        print(f"  {role:<18} {', '.join(person.subject for person in some)}")


def _say_when_ready(urls: list[str]) -> None:
    while not all(is_ready(url) for url in urls):
        time.sleep(0.1)
    print("All are ready. Ctrl-C stops the services; make down stops Kafka, PostgreSQL and the issuer.", flush=True)


if __name__ == "__main__":
    sys.exit(up())
