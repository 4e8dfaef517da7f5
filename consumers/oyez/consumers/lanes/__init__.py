"""Handlers that run apart from the batches: several events at once, those of a key one after another."""
