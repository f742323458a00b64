"""python -m libs.common.relay reconcile SERVICE | resend SERVICE SUBJECT FROM TO"""

import argparse
import asyncio

from rich.console import Console
from rich.table import Table

from libs.common.database import open_database
from libs.common.migration import migrate
from libs.common.relay.restored import reconcile, resend
from libs.common.service import Service, find
from libs.common.settings import Refused

console = Console()


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m libs.common.relay", description=__doc__)
    acts = parser.add_subparsers(dest="act", required=True)
    mend = acts.add_parser("reconcile", help="after a restore: bring the outbox up to its own topic")
    mend.add_argument("service")
    again = acts.add_parser("resend", help="send events of one subject again, to heal a gap")
    again.add_argument("service")
    again.add_argument("subject")
    again.add_argument("first", type=int)
    again.add_argument("last", type=int)
    given = parser.parse_args()
    service = find(given.service)
    if given.act == "reconcile":
        await _reconcile(service)
    else:
        count = await resend(open_database(service.load_settings()), given.subject, given.first, given.last)
        console.print(f"{count} event(s) of {given.subject} will be sent again by the running relay.")


async def _reconcile(service: Service) -> None:
    settings = service.load_settings()
    database = open_database(settings)
    await migrate(database)  # an older copy may lack what this release writes
    done = await reconcile(database, settings, service.lift_allocators, policy=service.digest())
    await database.engine.dispose()
    table = Table("event", "subject", "sequence", "said on", title="Adopted: their rows are gone, enter them again")
    for event in done.adopted:
        table.add_row(event.type, event.subject, str(event.sequence), event.time)
    console.print(table)
    console.print(
        f"{service.name}: {len(done.adopted)} adopted, {len(done.plan.renumber)} unsent renumbered,"
        f" {len(done.plan.counters)} counters raised, {len(done.plan.forks)} forks left to their consumers."
    )
    if done.audit_rows_lost:
        console.print(f"{done.audit_rows_lost} audit rows are lost; the audit says so and goes on behind them.")
    for line in done.lifted:
        console.print(line)


try:
    asyncio.run(main())
except Refused as refused:
    raise SystemExit(str(refused)) from None
