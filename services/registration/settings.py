from pydantic import Field, SecretStr

from libs.common import settings


class Settings(settings.Settings):
    port: int = 8101
    party_key: SecretStr | None = Field(default=None, min_length=32, validation_alias="PARTY_KEY")
    """What opaque ids of parties and addresses are made with; without it events name none, and nothing is related."""
    window_url: str = Field(default="http://127.0.0.1:8100", validation_alias="WINDOW_URL")
    """Where the window's pages are; the code on a printed licence leads there."""
