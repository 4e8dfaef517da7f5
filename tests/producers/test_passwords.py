"""A password is never shown, wherever it stands in an address or a text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import URL

from oyez.producers.passwords import shown, without_passwords

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("address", "as_shown"),
    [
        (f"postgresql+psycopg://me:{SECRET}@h:5432/d", "postgresql+psycopg://me:***@h:5432/d"),
        (f"postgresql+psycopg://:{SECRET}@h/d", "postgresql+psycopg://:***@h/d"),
        (
            f"postgresql+psycopg://h/d?user=me&password={SECRET}&sslmode=require",
            "postgresql+psycopg://h/d?user=me&password=***&sslmode=require",
        ),
        (f"postgresql+psycopg://h/d?sslpassword={SECRET}", "postgresql+psycopg://h/d?sslpassword=***"),
        (f"postgresql+psycopg://h/d?PassWord={SECRET}", "postgresql+psycopg://h/d?PassWord=***"),
        (f"postgresql+pg8000://h/d?misspelt={SECRET}", "postgresql+pg8000://h/d?misspelt=***"),
        (f"postgresql+psycopg://me:p@{SECRET}@h/d", "postgresql+psycopg://me:***@h/d"),
        (f"sqlite+pysqlcipher://:{SECRET}@/shop.db", "sqlite+pysqlcipher://:***@/shop.db"),
        ("postgresql+psycopg:///d?host=/var/run&host=b", "postgresql+psycopg:///d?host=/var/run,b"),
        ("sqlite:///shop.db", "sqlite:///shop.db"),
        (
            f"postgresql+psycopg://h/?dbname=postgresql://me:{SECRET}@h/d",
            "postgresql+psycopg://h/?dbname=postgresql://me:***@h/d",
        ),
        (
            f"postgresql:///?dbname=host=h password='a {SECRET}'",
            "postgresql:///?dbname=host=h password='***'",
        ),
        (
            f"postgresql:///?dbname=postgres://h/d?password={SECRET}",
            "postgresql:///?dbname=postgres://h/d?password=***",
        ),
        (
            f"postgresql:///host=h password = {SECRET} user=me",
            "postgresql:///host%3Dh password %3D %2A%2A%2A user%3Dme",
        ),
        (f"no address, {SECRET}", "***"),
        (f"postgresql://me:1@h:{SECRET}/d", "***"),
    ],
)
def test_addresses(address: str, as_shown: str) -> None:
    assert shown(address) == as_shown


names = some.sampled_from(
    ["password", "passwd", "sslpassword", "sslkey_password", "krb_token", "secret", "x"]
)


@given(some.text(min_size=1).map(lambda rest: f"{SECRET}{rest}"), names)
def test_no_password_is_shown_whatever_is_in_it(password: str, name: str) -> None:
    quoted = URL.create("postgresql+psycopg", "me", password, "h", database="d").set(query={name: password})
    assert SECRET not in shown(quoted.render_as_string(hide_password=False))


@pytest.mark.parametrize(
    ("text", "as_shown"),
    [
        (f"got postgresql://me:{SECRET}@h/d, twice", "got postgresql://me:***@h/d, twice"),
        (f"(postgresql://me:a@{SECRET}@h/d)", "(postgresql://me:***@h/d)"),
        (f"postgresql://h/d?password={SECRET}&user=me", "postgresql://h/d?password=***&user=me"),
        (f"host=h password={SECRET} user=me", "host=h password=*** user=me"),
        (f"host=h password='{SECRET}' user=me", "host=h password='***' user=me"),
        (f"host=h password='ge {SECRET}' user=me", "host=h password='***' user=me"),
        (f"host=h password = '{SECRET}' user=me", "host=h password = '***' user=me"),
        (rf"host=h password='it\'s {SECRET}' user=me", "host=h password='***' user=me"),
        (rf"host=h password=it\ {SECRET} user=me", "host=h password=*** user=me"),
        (f"host=h password=it's{SECRET} user=me", "host=h password=*** user=me"),
        (f"host=h password='' user='{SECRET}'", f"host=h password='***' user='{SECRET}'"),
        (f"Login(password=b'ge {SECRET}', user='me')", "Login(password=b'***', user='me')"),
        (f'Login(password="it\'s {SECRET}", user=1)', 'Login(password="***", user=1)'),
        (f"{{'password': b'{SECRET}', 'user': 1}}", "{'password': b'***', 'user': 1}"),
        (f"config['password'] = '{SECRET}'", "config['password'] = '***'"),
        (f"cut off: password='ge {SECRET}\nnext line", "cut off: password='***\nnext line"),
        (f'said "password={SECRET}", and more', 'said "password=***", and more'),
        (f'{{"sasl.password": "{SECRET}"}}', '{"sasl.password": "***"}'),
        (f"{{'sasl.password': '{SECRET}'}}", "{'sasl.password': '***'}"),
        (rf"{{\"sasl.password\": \"{SECRET}\"}}", r"{\"sasl.password\": \"***\"}"),
        ("mail_password: Input should be a string", "mail_password: Input should be a string"),
        ("https://shop.example/a:b then ann@shop.example", "https://shop.example/a:b then ann@shop.example"),
        ("kafka://broker:9092 is away", "kafka://broker:9092 is away"),
    ],
)
def test_texts(text: str, as_shown: str) -> None:
    assert without_passwords(text) == as_shown


ends = some.text(
    some.characters(exclude_categories=["Cs"], exclude_characters="\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")
)
WRITTEN: dict[str, Callable[[str], str]] = {
    "repr": lambda password: f"Login(password={password!r}, user=1)",
    "bytes": lambda password: f"Login(password={password.encode()!r}, user=1)",
    "a dict": lambda password: str({"password": password, "user": 1}),
    "JSON": lambda password: json.dumps({"sasl.password": password, "user": 1}),
    "JSON as it is": lambda password: json.dumps({"password": password}, ensure_ascii=False),
    "JSON in JSON": lambda password: json.dumps({"message": json.dumps({"password": password})}),
    "repr in JSON": lambda password: json.dumps({"message": f"Login(password={password!r}, user=1)"}),
    "libpq": lambda password: "host=h password='" + re.sub(r"([\\'])", r"\\\1", password) + "' user=me",
}


@pytest.mark.parametrize("way", WRITTEN)
@given(middle=ends)
def test_no_password_is_shown_however_it_is_written(way: str, middle: str) -> None:
    """Its end neither, whatever stands before it."""
    assert SECRET not in without_passwords(WRITTEN[way](f"{SECRET}{middle}{SECRET}"))


@given(some.text())
def test_json_is_still_json_without_its_passwords(password: str) -> None:
    said = {"password": password, "user": "me", "message": "more"}
    assert json.loads(without_passwords(json.dumps(said))) == said | {"password": "***"}
