"""Queries of signatures. Its owner finds an application, and so does who is named as a signer of its present round."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.registration.domain.signing import SIGNED_PAPER
from services.registration.tables import Application, Document, Signature


async def application_to_sign(session: AsyncSession, id: UUID, subject: str) -> Application | None:
    """The application, locked, where this account has filed it or is named as a signer: signatures take turns."""
    named = sa.exists().where(
        col(Signature.application_id) == col(Application.id), col(Signature.round) == col(Application.round),
        col(Signature.account) == subject,
    )  # fmt: skip
    wanted = select(Application).where(Application.id == id, sa.or_(col(Application.filed_by) == subject, named))
    return (await session.exec(wanted.with_for_update())).first()


async def of_round(session: AsyncSession, id: UUID, round: int) -> Sequence[Signature]:
    return (await session.exec(select(Signature).where(Signature.application_id == id, Signature.round == round))).all()


async def paper_of(session: AsyncSession, id: UUID, investor: int | None, document_id: UUID) -> bool:
    """Whether this document is a signed form of this application, by this investor or by none."""
    wanted = select(Document.id).where(
        Document.id == document_id, Document.application_id == id, Document.kind == SIGNED_PAPER,
        col(Document.investor).is_not_distinct_from(investor),
    )  # fmt: skip
    return (await session.exec(wanted)).first() is not None


WAITED_FOR = """
SELECT s.application_id, s.field AS signer, a.enterprise_name, a.sign_by
FROM signature s JOIN application a ON a.id = s.application_id AND a.round = s.round
WHERE s.account = $1 AND s.signed_at IS NULL AND a.status = 'awaiting_signatures'
    AND ($2::uuid IS NULL OR (s.application_id, s.field) > ($2, $3::text))
ORDER BY s.application_id, s.field LIMIT $4
"""


async def waited_for(
    connection: asyncpg.Connection, account: str, after: tuple[UUID, str] | None, limit: int
) -> list[asyncpg.Record]:
    """The signatures that are waited for from this account, by application, from behind `after`."""
    rows: list[asyncpg.Record] = await connection.fetch(WAITED_FOR, account, *(after or (None, None)), limit)
    return rows
