"""Settings: what the caller gives, then OYEZ_… in the environment, then oyez.toml, then the default."""

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from oyez.schemas.errors import reasons_of
from oyez.schemas.text import MAX_TEXT

from .errors import SettingsError
from .settings_file import read_settings_file
from .settings_masked import without_secret_keys
from .settings_names import OUTSIDE, refuse_arguments, refuse_unknown, warn_of_variables, without_links

FILE = Path("oyez.toml")
"""Read from the working directory, if it is there."""


def _flat(options: Any, prefix: str = "") -> Any:
    """TOML reads an unquoted `security.protocol = …` as a table in a table: put the dots back."""
    if not isinstance(options, dict):
        return options
    flat: dict[str, Any] = {}
    for name, value in options.items():
        inner = _flat(value, f"{prefix}{name}.")
        flat |= inner if isinstance(inner, dict) else {f"{prefix}{name}": inner}
    return flat


SCHEMA = OUTSIDE["database_schema"]
"""What `Settings.database_schema` is called outside: pydantic has that name for itself."""


class _Environment(EnvSettingsSource):
    """What has parts is written as JSON there: such a setting has an example that says how. What Kubernetes says of
    services there is no setting."""

    def __init__(self, settings: type[BaseSettings]) -> None:
        super().__init__(settings)
        self.env_vars = without_links(self.env_vars)

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        if field_name != "database_schema":
            return super().get_field_value(field, field_name)
        return self.env_vars.get(f"{self.env_prefix}{SCHEMA}".lower()), field_name, False

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError as error:
            # The value is not shown: it may have a password in it.
            name, example = (
                f"{self.env_prefix}{field_name}".upper(),
                json.dumps((field.examples or [None])[0]),
            )
            why = f"is not JSON ({error}); write it such as {example}"
            raise WrongValue(f"{name} {why}", problems={field_name: why}) from None


KafkaOptions = Annotated[dict[str, str | int | float | bool], BeforeValidator(_flat)]


PathOrNone = Annotated[Path | None, BeforeValidator(lambda said: said or None)]
"""What is set to nothing is not set: as a path, it would be the working directory."""


class Settings(BaseSettings):
    """What an announcing application may set. SettingsError: a value is wrong, a name is none, or
    oyez.toml is not TOML."""

    model_config = SettingsConfigDict(env_prefix="OYEZ_", extra="ignore", frozen=True)

    app: str | None = None
    """`module:handlers`, where the command line finds the application."""
    source: str = Field(default_factory=socket.gethostname, min_length=1, max_length=MAX_TEXT)
    """The announcing server's name; the name of the host unless set."""
    transport: str = "spool"
    """How events leave, and what is listened to; kafka when a broker is named and nothing is said here."""
    kafka: str = Field(default="127.0.0.1:9092", min_length=1)
    """host:port, or several with commas."""
    kafka_options: KafkaOptions = Field(default={}, repr=False, examples=[{"compression.type": "lz4"}])
    """Passed to librdkafka as they are; they win over ours."""
    topic: str = Field(default="oyez.events", pattern=r"^[A-Za-z0-9._-]{1,249}$")
    """The topic of signals that name none."""
    spool: PathOrNone = None
    """The folder of the spool; `spool` in the working directory for the transport of that name."""
    durability: Literal["buffered", "acked", "spooled"] = "buffered"
    """What an event is when announce() returns, over Kafka: in the client's queue (with a spool, it goes over to that
    while the broker is away); acknowledged by the broker; or on disk, in the spool, to be shipped."""
    spool_fsync: Literal["always", "interval", "never"] = "interval"
    """When what is appended to the spool is forced to disk."""
    spool_fsync_interval: float = Field(default=1.0, gt=0)
    """Seconds, for `interval`."""
    spool_segment_bytes: int = Field(default=64 * 1024 * 1024, ge=1)
    """After how many bytes a new segment is begun."""
    spool_segment_seconds: float = Field(default=3600.0, gt=0)
    """After how many seconds a new segment is begun."""
    spool_retention: Literal["keep", "archive", "delete"] = "keep"
    """What becomes of a segment that every group has read, or that was shipped."""
    database: str = Field(default="sqlite:///oyez.db", repr=False)
    """A SQLAlchemy URL."""
    database_direct: str | None = Field(default=None, min_length=1, repr=False)
    """The same database's URL without the connection pooler that `database` leads to, to hear what is released."""
    database_schema: str | None = Field(default=None, max_length=63)
    """The schema of Oyez's tables, called `schema` where it is set; None: the one in which a new connection makes
    tables."""
    announce_timeout: float = Field(default=5.0, gt=0)
    """Seconds that announce() may wait when the broker is away."""
    delivery_timeout: float = Field(default=30.0, gt=0)
    """Seconds after which an event that the broker has not acknowledged has failed."""
    flush_timeout: float = Field(default=10.0, ge=0)
    """Seconds that flush(), close() and the flush at exit wait, unless told otherwise."""

    @model_validator(mode="before")
    @classmethod
    def _call_schema(cls, values: dict[str, Any]) -> dict[str, Any]:
        said = {"database_schema" if name == SCHEMA else name: value for name, value in values.items()}
        return said | {"database_schema": said.get("database_schema") or None}

    @model_validator(mode="before")
    @classmethod
    def _infer_transport(cls, values: dict[str, Any]) -> dict[str, Any]:
        if "transport" not in values and "kafka" in values:
            return {**values, "transport": "kafka"}
        return values

    def __init__(self, **values: Any) -> None:
        refuse_arguments(values, type(self))
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _explained(error, type(self).model_fields, values) from None
        warn_of_variables(type(self))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        said = read_settings_file(FILE)
        refuse_unknown(str(FILE), said, settings_cls)
        return init_settings, _Environment(settings_cls), InitSettingsSource(settings_cls, said)


class WrongValue(SettingsError):
    """The value of a setting is wrong."""

    def __init__(
        self,
        message: str,
        reasons: str = "",
        given: str | None = None,
        problems: Mapping[str, str] | None = None,
    ) -> None:
        """`reasons` are what is wrong, in one line, and `problems` the same by the name of the setting. `given` is the
        argument that it was given by; None: it stands in the environment or in oyez.toml."""
        super().__init__(message)
        self.reasons = reasons
        self.given = given
        self.problems = dict(problems or {})


def _explained(
    error: ValidationError, fields: Mapping[str, FieldInfo], said: Mapping[str, Any]
) -> WrongValue:
    found = [without_secret_keys(one, fields) for one in error.errors(include_url=False)]
    field = str(found[0]["loc"][0])
    given = next((name for name in said if name in {field, OUTSIDE.get(field, field)}), None)
    why = reasons_of(found)
    problems = {str(one["loc"][0]): one["msg"] for one in found if one["loc"]}
    return WrongValue(f"settings: {why} (from {_origin(field, given)})", why, given, problems)


def _origin(field: str, given: str | None) -> str:
    if given is not None:
        return f"the argument {given}"
    variable = f"OYEZ_{OUTSIDE.get(field, field)}".upper()
    return variable if variable in (known.upper() for known in os.environ) else str(FILE)


def values_for(kind: type[Settings], settings: Settings) -> dict[str, Any]:
    """The values that another class of settings has too: an application's own may have more."""
    return {name: value for name, value in settings.model_dump().items() if name in kind.model_fields}
