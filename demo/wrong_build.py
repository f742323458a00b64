"""python -m demo.wrong_build: risk built wrongly on purpose, to see that the checker catches it.

It moves its position in a transaction of its own and takes the effect after it: a crash between the two loses events.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from libs.common import crash, inbox
from libs.common.consumer import Consumer
from libs.common.envelope import DeadLetter, Incoming
from libs.common.run import run
from libs.common.service import find
from libs.common.settings import Settings
from libs.common.transaction import once

AFTER_POSITION = "wrong.after_position"


async def position_first(self: Consumer, unit: Sequence[Incoming | DeadLetter]) -> None:
    await once(self.database, lambda session: inbox.take(session, unit, _no_effect))
    crash.point(AFTER_POSITION)
    events = [record for record in unit if isinstance(record, Incoming)]
    await once(self.database, lambda session: self._apply(session, events))


async def _no_effect(*_: object) -> None:
    pass


if __name__ == "__main__":
    Consumer._take = position_first  # type: ignore[method-assign]
    # A group of its own for each life: nobody waits until Kafka has given the dead one up.
    Settings.group = property(lambda self: f"{self.namespace}{self.service}-{os.getpid()}")  # type: ignore[assignment, method-assign]
    run(find("risk"))
