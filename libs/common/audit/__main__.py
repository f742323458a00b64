"""python -m libs.common.audit verify SERVICE

Checks the audit in the service's database against its published heads and prints one JSON line. Exits with 0 where it
is intact, with 1 where it was tampered with, and with 3 where the database was restored to an older state as a whole.
"""

import argparse
import asyncio

import msgspec

from libs.common.audit.verification import Verification, verify
from libs.common.database import open_database
from libs.common.relay.restored import lost_events
from libs.common.service import find
from libs.common.settings import Refused

EXITS = {"intact": 0, "tampered": 1, "restored": 3}


async def check(service: str) -> Verification:
    settings = find(service).load_settings()
    database = open_database(settings)
    try:
        return await verify(database, settings, lambda: lost_events(database, settings))
    finally:
        await database.engine.dispose()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m libs.common.audit", description=__doc__)
    acts = parser.add_subparsers(dest="act", required=True)
    acts.add_parser("verify", help="check the audit against its published heads").add_argument("service")
    try:
        found = asyncio.run(check(parser.parse_args().service))
    except Refused as refused:
        raise SystemExit(str(refused)) from None
    said = {"sentence": found.sentence("en"), **msgspec.to_builtins(found)}
    print(msgspec.json.encode(said).decode())  # noqa: T201
    return EXITS[found.verdict]


if __name__ == "__main__":
    raise SystemExit(main())
