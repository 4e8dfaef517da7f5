"""Putting workers together and running them: as processes, for a bounded pass, or for one sweep."""
