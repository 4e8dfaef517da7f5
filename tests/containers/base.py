"""The stand-in of Python's image: Debian's bookworm with its own Python."""

from __future__ import annotations

import os
import ssl
import subprocess
import tempfile
from pathlib import Path

from containers.errors import CannotBeHad, NotMade
from support.debian import unpacked

SUITE = "bookworm"
PACKAGES = "ca-certificates,python3,python3-pip,python3-venv"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
SETTINGS = ("ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", 'CMD ["python3"]')
# A machine whose way out has a certificate of its own says so in its own file of certificates.
TRUST = ("ENV PIP_CERT=/{0}", "ENV SSL_CERT_FILE=/{0}")


def make(name: str, recipe: Path, label: str) -> None:
    """Install Debian into a folder, finish it by the recipe's script, and import it as an image."""
    tool = unpacked("debootstrap")
    with tempfile.TemporaryDirectory(prefix="oyez-base-") as made:
        root = Path(made) / "root"
        # dpkg waits for the disk after each file: for a folder that is thrown away it need not.
        environment = {
            **os.environ,
            "DEBOOTSTRAP_DIR": str(tool.file("usr/share/debootstrap")),
            "DPKG_FORCE": "unsafe-io",
        }
        install = [tool.file("usr/sbin/debootstrap"), "--variant=minbase", f"--include={PACKAGES}"]
        run(*install, SUITE, root, *_mirror(), environment=environment)
        (root / CERTIFICATES).write_text(certificates())
        run("cp", recipe / "finish", root / "finish")
        run("chroot", root, "/bin/sh", "/finish", failure=NotMade)
        archive = Path(made) / "root.tar"
        run("tar", "--create", "--directory", root, "--file", archive, ".")
        changes = [*SETTINGS, *(line.format(CERTIFICATES) for line in TRUST), f"LABEL {label}"]
        run("docker", "import", *(part for line in changes for part in ("--change", line)), archive, name)


def certificates() -> str:
    """The certificates that this machine trusts."""
    return Path(ssl.get_default_verify_paths().cafile or f"/{CERTIFICATES}").read_text()


def _mirror() -> list[str]:
    """Where this machine's apt gets the suite, if it does; debootstrap knows a place itself."""
    asked = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", f"Codename: {SUITE}"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout.split()[:1]


def run(
    *command: str | Path,
    environment: dict[str, str] | None = None,
    failure: type[Exception] = CannotBeHad,
) -> None:
    """Run it; a ``failure`` with the end of what it said if it fails."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise failure(f"{Path(command[0]).name} has failed: {' | '.join(said)}")
