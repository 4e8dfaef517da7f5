"""Errors that are groups of errors, as asyncio's task groups raise them."""

from __future__ import annotations


def leaves(error: BaseException) -> list[BaseException]:
    """The errors that a group is made of, however deep; an error that is no group is the only one."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in leaves(one)]
    return [error]


def bare(error: BaseException) -> BaseException:
    """The error itself; of a group of one, that one."""
    found = leaves(error)
    return found[0] if len(found) == 1 else error
