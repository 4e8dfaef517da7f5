"""What operators ask of the spool: how far each log was shipped, whether it is whole, what is in it."""

from .pieces import Piece, pieces
from .states import SpoolState, state_of
from .verifying import Verified, verify

__all__ = ["Piece", "SpoolState", "Verified", "pieces", "state_of", "verify"]
