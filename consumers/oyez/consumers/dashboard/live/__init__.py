"""Telling pages that are open that something has changed: by server-sent events, with one query for all of them."""
