"""How many requests one client may send in a minute. Each process counts for itself, in memory."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from libs.common.identity import Caller
from libs.common.problems import Problem


class Rates:
    """Callers are counted by their account, all others by the address that they come from."""

    def __init__(self, by_caller: int, by_address: int) -> None:
        self.by_caller = RateLimitItemPerMinute(by_caller)
        self.by_address = RateLimitItemPerMinute(by_address)
        self.windows = FixedWindowRateLimiter(MemoryStorage())

    async def count(self, caller: Caller | None, address: str) -> None:
        """Raises Problem (429), which says when the next minute begins, to a client that has had its share."""
        limit, who = (self.by_address, address) if caller is None else (self.by_caller, caller.subject)
        if not await self.windows.hit(limit, who):
            begins = (await self.windows.get_window_stats(limit, who)).reset_time
            raise Problem("too-many-requests", 429, retry_after=max(1, math.ceil(begins - time.time())))
