"""A shop with Django."""
