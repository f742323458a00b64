"""Settings come from the environment; a service adds its own fields. Secrets have no defaults.

A field is read from `<SERVICE>_<FIELD>` (REGISTRATION_PORT); those that all services share have one name.
"""

from datetime import date
from pathlib import Path
from typing import TypeVar

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Refused(Exception):
    """A service cannot start, or an operator's command cannot be done; the sentence says what to do."""


class Settings(BaseSettings):
    """What every service needs to start. `namespace` keeps test runs apart on one Kafka and one PostgreSQL."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    service: str
    kafka_bootstrap_servers: str = Field(validation_alias="KAFKA_BOOTSTRAP_SERVERS")
    namespace: str = Field(default="", validation_alias="ONE_WINDOW_NAMESPACE", pattern=r"^[a-z0-9_]*$")
    administrator_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    """An administrator's URL: where it is given, the service's own database and role are made from it."""
    database_url: str | None = None
    database_password: str | None = Field(default=None, validation_alias="ONE_WINDOW_DATABASE_PASSWORD")
    host: str = "127.0.0.1"
    port: int = 0
    replication_factor: int = Field(default=1, validation_alias="KAFKA_REPLICATION_FACTOR")
    allow_time_travel: bool = Field(default=False, validation_alias="ALLOW_TIME_TRAVEL")
    business_start: date | None = Field(default=None, validation_alias="BUSINESS_START")
    pool_size: int = 10
    request_seconds: float = 15.0
    """How long a request may take, its body included."""
    oidc_issuer: str = Field(default="http://127.0.0.1:8109", validation_alias="OIDC_ISSUER")
    """Who vouches for callers; `/.well-known/openid-configuration` is read there."""
    oidc_audience: str = Field(default="one-window", validation_alias="OIDC_AUDIENCE")
    signing_keys: Path | None = Field(default=None, validation_alias="SIGNING_KEYS")
    """A folder with the keyring `<service>.json`; a service without one signs nothing."""
    watched_disk: Path = Field(default=Path("/"), validation_alias="WATCHED_DISK")
    """A folder on the disk whose free space `/metrics` tells."""
    requests_per_minute: int = Field(default=6_000, gt=0, validation_alias="REQUESTS_PER_MINUTE")
    """What each process answers to one account."""
    requests_per_minute_by_address: int = Field(default=1_200, gt=0, validation_alias="REQUESTS_PER_MINUTE_BY_ADDRESS")
    """What it answers to one address from which requests come without a good token."""
    log_level: str = Field(default="INFO", validation_alias="LOG_LEVEL")

    @property
    def database_name(self) -> str:
        return f"{self.namespace}{self.service}"

    def topic(self, name: str) -> str:
        return f"{self.namespace}{name}"

    @property
    def events_topic(self) -> str:
        return self.topic(f"{self.service}.events")

    @property
    def group(self) -> str:
        return f"{self.namespace}{self.service}"


S = TypeVar("S", bound=Settings)


def load(kind: type[S], service: str) -> S:
    """Read the settings of one service from the environment."""
    return kind(_env_prefix=f"{service.upper()}_", service=service)
