"""Web visits recorded by several servers: the reference application of Oyez."""
