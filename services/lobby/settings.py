"""What the lobby needs beside what every service needs: where the others answer, and its own address."""

from pydantic import Field

from libs.common import settings


class Settings(settings.Settings):
    """`public_url` is the address that browsers use; sign-in comes back to it. Empty: this machine's loopback."""

    port: int = 8100
    public_url: str = ""
    client_id: str = "lobby"
    registration_url: str = Field(default="http://127.0.0.1:8101", validation_alias="REGISTRATION_URL")
    licensing_url: str = Field(default="http://127.0.0.1:8102", validation_alias="LICENSING_URL")
    supervision_url: str = Field(default="http://127.0.0.1:8103", validation_alias="SUPERVISION_URL")
    credit_url: str = Field(default="http://127.0.0.1:8104", validation_alias="CREDIT_URL")
    risk_url: str = Field(default="http://127.0.0.1:8105", validation_alias="RISK_URL")

    @property
    def address(self) -> str:
        return self.public_url.rstrip("/") or f"http://127.0.0.1:{self.port}"

    def url_of(self, service: str) -> str:
        """Where a service answers; the lobby itself among them."""
        return self.address if service == "lobby" else str(getattr(self, f"{service}_url")).rstrip("/")
