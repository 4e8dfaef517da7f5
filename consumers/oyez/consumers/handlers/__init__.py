"""Registering: handlers, what they take, and the application that puts them into groups."""
