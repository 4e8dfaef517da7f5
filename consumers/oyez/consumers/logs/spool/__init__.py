"""The log in folders of the spool."""
