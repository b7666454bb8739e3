#!/bin/sh
# A PostgreSQL that forgets when its container ends. Its certificate and key are in /tls, its user's password in PGPASSWORD.
set -eu
data=/tmp/data
if [ ! -d "$data" ]; then
  printf %s "$PGPASSWORD" >/tmp/password
  initdb --encoding=UTF8 --locale=C --auth=scram-sha-256 --username=airmesh --pwfile=/tmp/password "$data" >/dev/null
  cp /tls/tls.crt /tls/tls.key "$data"
  chmod 0600 "$data/tls.key"
  printf 'local all all scram-sha-256\nhostssl all all all scram-sha-256\n' >"$data/pg_hba.conf"
fi
exec postgres -D "$data" -c 'listen_addresses=*' -c unix_socket_directories=/tmp -c ssl=on -c ssl_cert_file=tls.crt -c ssl_key_file=tls.key
