"""Buffered announcing that goes over to the spool while the broker is away."""

from .outlet import Failed, Outlet
from .states import NEXT, State
from .transport import FailoverTransport

__all__ = ["NEXT", "Failed", "FailoverTransport", "Outlet", "State"]
