"""Named queries of risk; all of them in bulk, by asyncpg."""
