"""The visitor session, bound for each request: middleware for ASGI and for WSGI."""

from .asgi import SessionMiddleware
from .keys import KeyOf, cookie, header
from .wsgi import WSGISessionMiddleware

__all__ = ["KeyOf", "SessionMiddleware", "WSGISessionMiddleware", "cookie", "header"]
