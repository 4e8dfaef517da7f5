"""The base class of every signal."""

from typing import Any, ClassVar, Unpack

from pydantic import BaseModel, ConfigDict

from .catalogue import catalogue
from .declaration import Declaration
from .options import Options, declare

_OWN = ("name", "number")


class Signal(BaseModel):
    """A named kind of event: subclass it with `name=`, and declare the data as fields.

    Class keywords: `name`; `number`, positive; `key` and `subject`, names of fields; `requires`, a signal
    (class or name) -> the field that holds its subject; `remember`, a timedelta (30 days) or None for ever;
    `topic`; `catalogue`, to enter it in another one. Without `name` it is an abstract base, whose keywords
    are inherited. SchemaError: a keyword is wrong.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        allow_inf_nan=False,
        ser_json_bytes="base64",
        val_json_bytes="base64",
    )
    __oyez__: ClassVar[Declaration | None] = None
    __oyez_options__: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **options: Unpack[Options]) -> None:
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__()
        inherited = {name: value for name, value in cls.__oyez_options__.items() if name not in _OWN}
        cls.__oyez_options__ = inherited | options
        cls.__oyez__ = None
        if "name" not in options:
            return
        declaration = declare(cls, cls.__oyez_options__)
        cls.__oyez_options__.get("catalogue", catalogue).add(declaration)
        cls.__oyez__ = declaration
