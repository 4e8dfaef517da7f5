"""The databases that Oyez works on: one file each, found by name."""
