"""A worker's loop: assign, poll, decode, execute, advance."""
