"""The base class of every signal."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self, Unpack

from pydantic import BaseModel, ConfigDict

from .catalogue import catalogue
from .copying import MarksCopies, unsure
from .declaration import Declaration
from .errors import SchemaError
from .options import Options, declare, refuse_unknown
from .versions import Upcast, register

_OWN = ("name", "number", "version")


class Signal(MarksCopies, BaseModel):
    """A named kind of event: subclass it with `name=`, and declare the data as fields.

    Class keywords: `name`; `number`, positive; `key` and `subject`, names of fields; `requires`, a signal
    (class or name) -> the field that holds its subject; `remember`, a timedelta (30 days) or None for ever;
    `topic`; `version`, of the data, 1 unless said, see `upcast`; `catalogue`, to enter it in another one.
    Without `name` it is an abstract base, whose keywords are inherited, but for `number` and `version`.
    SchemaError: a keyword is wrong.
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
        validate_default=True,
    )
    __oyez_unsure__: ClassVar[bool] = False
    """Whether nobody has validated it: pydantic does not when it is told what to construct, or to update in a copy."""
    __oyez__: ClassVar[Declaration | None] = None
    __oyez_options__: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **options: Unpack[Options]) -> None:
        refuse_unknown(cls, options)  # here, since a class in between may have taken keywords of its own
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

    @classmethod
    def upcast(cls, *, from_version: int) -> Callable[[Upcast], Upcast]:
        """Decorates a function that makes data of the next version from data of an older one.

        It is given the data as JSON has it, a dict of its own, and returns a dict. It is called for events that were
        announced, or parked, before the class had its ``version``. SchemaError: there is no such version, or another
        function for it, or the class has no name.
        """
        declaration = cls.__oyez__
        if declaration is None:
            raise SchemaError(f"{cls.__qualname__} has no name, so there are no events of it to upcast")

        def registered(function: Upcast) -> Upcast:
            register(declaration, from_version, function)
            return function

        return registered

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:  # type: ignore[override] # pydantic's plugin gives each class its own
        """pydantic's. It validates nothing, so announcing does."""
        return unsure(super().model_construct(_fields_set, **values))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """pydantic's. It does not validate what is updated, so announcing does."""
        copied = super().model_copy(update=update, deep=deep)
        return unsure(copied) if update else copied
