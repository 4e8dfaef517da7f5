"""What an extra installs, where it is imported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def extra(name: str, *modules: str, who: str, needs: str) -> Iterator[None]:
    """Around the import of what the extra ``name`` installs. Where one of its ``modules`` is missing, `ExtraMissing`
    says that ``who`` needs ``needs``, and how to install them. What else is missing is told as ever."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in modules:
            raise
        from .errors import ExtraMissing  # noqa: PLC0415 # pydantic is loaded for it

        raise ExtraMissing(f"{who} needs {needs}; run: pip install 'oyez[{name}]'") from None
