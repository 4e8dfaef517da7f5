"""Announcing stored events again: to all, or to one handler."""
