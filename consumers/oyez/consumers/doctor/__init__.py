"""Checks of all that an application stands on: what is wrong, what that is due to, and what to do."""
