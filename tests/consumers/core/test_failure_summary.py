"""How handlers failed, in as few words as there are kinds of failure."""

from __future__ import annotations

from oyez.consumers.core.failure_summary import LONGEST, Faults


def faults(*found: tuple[str, str, str]) -> Faults:
    made = Faults()
    for one in found:
        made.add(*one)
    return made


def test_one_line_for_each_handler_and_type_of_error() -> None:
    made = faults(
        ("a", "KeyError", "KeyError: 1\n  traceback"),
        ("a", "KeyError", "KeyError: 2"),
        ("a", "OSError", "OSError: full"),
    )
    made.merge(faults(("a", "KeyError", "KeyError: 3"), ("b", "KeyError", "KeyError: 4")))
    assert list(made.lines()) == [
        "a failed 3 times with KeyError, first: KeyError: 1",
        "a failed once: OSError: full",
        "b failed once: KeyError: 4",
    ]


def test_a_long_error_is_cut() -> None:
    (line,) = faults(("a", "E", "x" * 4000)).lines()
    assert line == f"a failed once: {'x' * LONGEST}…"
