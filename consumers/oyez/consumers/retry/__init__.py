"""Running what is parked: claims of what is due, the sweep, and being woken when something is released."""
