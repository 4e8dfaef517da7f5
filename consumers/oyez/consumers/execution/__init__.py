"""Handling one batch in one transaction: what may run, running it, and settling what came of it."""
