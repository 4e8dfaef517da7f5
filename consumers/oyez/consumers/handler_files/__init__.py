"""Event files: Python files in a folder, each a handler of its own for the signal that its name begins with."""

from .loading import BrokenFile, EventFilesBroken, Loaded, load_event_files
from .permissions import OpenToOthers

__all__ = ["BrokenFile", "EventFilesBroken", "Loaded", "OpenToOthers", "load_event_files"]
