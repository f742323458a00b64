"""Under which opaque ids people, bodies and addresses are known outside: the same one in every form that names them.

A keyed hash, so that nobody without the key can tell who it is or try names out; the key stays with registration. There
is no identity number in a form: the same kind, name and country count as the same party, so two people of one name may
be taken for one. docs/decisions/0019-related-parties.md says what may rest on that.
"""

import hashlib
import hmac
import unicodedata
from uuid import UUID

from services.registration.domain.application import Party

PARTY, ADDRESS = b"party", b"address"


def of_party(party: Party, key: bytes) -> UUID:
    return _opaque(key, PARTY, party.kind, party.country, party.name)


def of_address(area: str, address: str, key: bytes) -> UUID:
    return _opaque(key, ADDRESS, area, address)


def _opaque(key: bytes, *parts: bytes | str) -> UUID:
    """Spelling does not matter: width, case and spaces are levelled."""
    spelt = [part if isinstance(part, bytes) else _levelled(part).encode() for part in parts]
    return UUID(bytes=hmac.new(key, b"\0".join(spelt), hashlib.sha256).digest()[:16])


def _levelled(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
