#!/bin/sh
# pytest 9.2.0: a plugin whose distribution is a namespace package (PEP 420) gives its subpackages' names to other
# people's modules.
#
# pytest rewrites the asserts of plugins. Which modules those are it reads from the distribution's list of files: `x.py`
# and `x/__init__.py` at its top. A namespace package has no `__init__.py` there. Then pytest takes away the first
# folder, as if that were `src`, and marks what is below: of `acme/schemas/__init__.py` the name `schemas`.
#
# So a project's own module `schemas`, which has nothing to do with the plugin, is rewritten as a part of it. And if it
# has been imported before pytest.main() is called, pytest warns of it; with -W error the run ends before any test.
# Seen:
#   PytestAssertRewriteWarning: Module already imported so cannot be rewritten; schemas
# Without the plugin, or with a plugin that is a plain package, the same program passes.
#
# Exits with 0 as long as that is so. Needs Python 3.11 and the network (PyPI); takes half a minute.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check pytest==9.2.0 hatchling==1.27.0

mkdir -p plugin/acme/schemas project
cat > plugin/pyproject.toml <<'EOF'
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "acme-schemas"
version = "1"
[project.entry-points.pytest11]
acme = "acme.schemas.plugin"
[tool.hatch.build.targets.wheel]
packages = ["acme"]
EOF
echo > plugin/acme/schemas/__init__.py
echo > plugin/acme/schemas/plugin.py

echo > project/schemas.py
echo 'def test_nothing(): pass' > project/test_project.py
cat > project/run.py <<'EOF'
import sys
import schemas  # the project's own
import pytest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-W", "error"]))
EOF

cd project
../env/bin/python run.py
../env/bin/pip install --quiet --disable-pip-version-check --no-build-isolation ../plugin
if ../env/bin/python run.py > ../said 2>&1; then
    echo "it passes with the plugin too: pytest has changed"
    exit 1
fi
cat ../said
grep -q "Module already imported so cannot be rewritten.*schemas" ../said
