"""An app of Django's, for tests."""
