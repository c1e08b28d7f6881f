#!/bin/bash
# Stands in for the entry point of the official image: one database, one password, all addresses.
set -eu
bin=$(dirname "$(find /usr/lib/postgresql -name initdb | sort -V | tail -n 1)")
data=/var/lib/postgresql/data
if ! [ -s "$data/PG_VERSION" ]; then
  install -d -o postgres -m 700 "$data"
  su postgres -c "echo '$POSTGRES_PASSWORD' >/tmp/password && '$bin/initdb' -D '$data' -A trust --pwfile=/tmp/password" >/dev/null
  printf 'host all all all trust\n' >>"$data/pg_hba.conf"
  su postgres -c "'$bin/pg_ctl' -D '$data' -w -o '-c listen_addresses= -c unix_socket_directories=/tmp' start && PGPASSWORD='$POSTGRES_PASSWORD' '$bin/createdb' -h /tmp '$POSTGRES_DB' && '$bin/pg_ctl' -D '$data' -w stop" >/dev/null
fi
rm -f "$data/postmaster.pid"
exec setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/postgres" -D "$data" -c 'listen_addresses=*' -c unix_socket_directories=/tmp
