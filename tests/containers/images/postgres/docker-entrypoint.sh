#!/bin/sh
# The first time: a folder, a user with a password, a database. Then the server, not as root.
set -eu

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown -R postgres /var/lib/postgresql /var/run/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -z "${POSTGRES_PASSWORD:-}" ]; then
        echo "Error: Database is uninitialized and superuser password is not specified." >&2
        exit 1
    fi
    user=${POSTGRES_USER:-postgres}
    secret=$(mktemp)
    printf '%s\n' "$POSTGRES_PASSWORD" >"$secret"
    initdb --pgdata "$PGDATA" --username "$user" --pwfile "$secret" --encoding UTF8 --locale C.UTF-8 \
        --auth-local trust --auth-host scram-sha-256
    rm "$secret"
    {
        echo "listen_addresses = '*'"
        echo "unix_socket_directories = '/var/run/postgresql'"
    } >>"$PGDATA/postgresql.conf"
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    if [ "${POSTGRES_DB:-$user}" != postgres ]; then
        # By its socket alone: nobody outside may take this one for the server.
        pg_ctl --pgdata "$PGDATA" --options "-c listen_addresses=''" --wait start
        createdb --username "$user" --maintenance-db postgres "${POSTGRES_DB:-$user}"
        pg_ctl --pgdata "$PGDATA" --mode fast --wait stop
    fi
fi

exec "$@"
