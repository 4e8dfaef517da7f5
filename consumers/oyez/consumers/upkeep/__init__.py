"""What workers do besides handling, in small steps: retention, what a deploy left, asking what parked rows wait for."""
