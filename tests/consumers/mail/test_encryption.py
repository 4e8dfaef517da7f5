"""TLS and logging in, against a server that has both."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from consumers.mail.mail_queue import MailQueue
from consumers.mail.smtp_server import serving
from oyez.consumers.mail.errors import MailSettingsWrong


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate of 127.0.0.1 that it has signed itself, and a server's context with it."""
    folder = tmp_path_factory.mktemp("certificate")
    key, file = folder / "key.pem", folder / "certificate.pem"
    made = [
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]
    command = ["openssl", "req", "-x509", *made, "-days", "2", "-keyout", str(key), "-out", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return file, context


def accepts(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"shop", b"secret"), handled=False)


def starttls(context: ssl.SSLContext) -> dict[str, Any]:
    return {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": accepts}


LOGIN = {"mail_tls": "starttls", "mail_user": "shop", "mail_password": "secret"}


def test_starttls_and_login(pipeline_sqlite: str, certificate: tuple[Path, ssl.SSLContext]) -> None:
    file, context = certificate
    with serving(**starttls(context)) as server:
        one = MailQueue(pipeline_sqlite, server, **LOGIN, mail_ca=file)
        one.queue(range(3))
        assert one.run().sent == 3
        one.close()


def test_tls_from_the_beginning(pipeline_sqlite: str, certificate: tuple[Path, ssl.SSLContext]) -> None:
    file, context = certificate
    with serving(ssl_context=context) as server:
        one = MailQueue(pipeline_sqlite, server, mail_tls="tls", mail_ca=file)
        one.queue(range(3))
        assert one.run().sent == 3
        one.close()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"mail_ca": None}, "not trusted"),
        ({"mail_password": "wrong"}, "refuses the login of shop"),
        ({"mail_ca": Path("/nowhere/ca.pem")}, "OYEZ_MAIL_CA"),
    ],
)
def test_what_is_set_wrongly_is_said(
    pipeline_sqlite: str, certificate: tuple[Path, ssl.SSLContext], said: dict[str, Any], words: str
) -> None:
    file, context = certificate
    with serving(**starttls(context)) as server:
        one = MailQueue(pipeline_sqlite, server, **({**LOGIN, "mail_ca": file} | said))
        one.queue([1])
        with pytest.raises(MailSettingsWrong, match=words) as caught:
            one.run()
        assert "\n" not in str(caught.value)
        assert "wrong" not in str(caught.value).replace("wrongly", "")
        assert one.states() == {"waiting": 1}
        one.close()
