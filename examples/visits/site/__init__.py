"""A small site whose pages announce what their visitors do, and a report of it."""
