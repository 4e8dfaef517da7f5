"""In which line of a file a setting stands."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oyez.producers.settings_lines import lines_of


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", {}),
        ("# a\n\na = 1\r\nb = 2", {"a": 3, "b": 4}),
        ('a = """\nb = 1\n"""\nb = [\n  1,\n  2,\n]\nc = 3', {"a": 1, "b": 4, "c": 8}),
        ("[a]\nb = 1\n[c.d]\n[a.e]\n[[f]]\n[[f]]", {"a": 1, "c": 3, "f": 5}),
        ("\"a\" = 1\na-b.c = 2\n'd.e' = 3\na-b.d = 1", {"a": 1, "a-b": 2, "d.e": 3}),
    ],
)
def test_names_are_found_where_they_first_stand(text: str, lines: dict[str, int]) -> None:
    tomllib.loads(text)
    assert lines_of(text) == lines


STATEMENTS = st.sampled_from(
    [
        "{} = 1",
        "{} = [\n 1,\n\n # {}\n 2]",
        "{} = '''\nother = 1\n\n'''",
        "# other = 1\n{} = {{a = 1}}",
        "\n{}.a = 1",
    ]
)


@given(
    st.lists(STATEMENTS, max_size=6), st.lists(st.sampled_from(["[{}]\nn0 = 1", "[[{}.n0]]\n"]), max_size=3)
)
def test_every_name_of_a_file_has_the_line_that_names_it(plain: list[str], tables: list[str]) -> None:
    text = "\n".join(one.replace("{}", f"n{number}") for number, one in enumerate([*plain, *tables]))
    text = text.replace("{{", "{").replace("}}", "}")
    found = lines_of(text)
    assert found.keys() == tomllib.loads(text).keys()
    for name, number in found.items():
        assert text.splitlines()[number - 1].lstrip("[").startswith(name)
