"""What the driver raises when the way to the database is lost is told from a mistake of ours."""

import asyncpg
import pytest
import sqlalchemy as sa

from libs.common.database import is_database_error, sqlstate


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
        sa.exc.TimeoutError("QueuePool limit of size 1 overflow 1 reached"),
        ConnectionResetError(),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_lost_way_to_the_database_is_one(error: Exception) -> None:
    assert is_database_error(error)
    assert (sqlstate(error) or "08")[:2] == "08"


def test_a_mistake_of_ours_is_none() -> None:
    assert not is_database_error(KeyError("x"))
