"""Heartbeats: what each process says of how it gets on, and what is to be made of it."""
