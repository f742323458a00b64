"""An officer notes that an enterprise has kept an organisation of the former laws on foreign investment."""

from sqlmodel.ext.asyncio.session import AsyncSession

from services.registration.domain.legacy import LegacyForm
from services.registration.use_cases.enterprise import own_enterprise


async def note_legacy_form(session: AsyncSession, uscc: str, form: LegacyForm | None) -> LegacyForm | None:
    """Source: Implementing Regulations of the Foreign Investment Law Art 44. Raises EnterpriseUnknown, Deregistered."""
    enterprise = await own_enterprise(session, uscc, None)
    enterprise.legacy_form = form
    return form
