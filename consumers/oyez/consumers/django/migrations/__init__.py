"""Migrations of Django's, each of which brings Oyez's tables to a revision of their own."""
