# shellcheck shell=sh
# In a container that has nothing but this database: `load KIND FILE` reads a file of SQL or an archive into it, all or nothing.
# Prints what the database is then: its number, and the rows of each table. What it reads is not trusted.
kind=$1 file=$2
fail() { printf '%s\n' "$*" >&2; exit 1; }
ask() { psql -XqAt -v ON_ERROR_STOP=1 -c "$1"; }
# psql takes commands of its own, among them such that run programs. Restricted, it takes one alone, with a key that nobody knows.
key=$(head -c 32 /dev/urandom | base64 | tr -dc 'A-Za-z0-9')
psql_restricted() { psql -XqAt --single-transaction -v ON_ERROR_STOP=1 -c "\\restrict $key" -f "$1" >/dev/null; }
# What pg_dump writes of the old server: its own \restrict, owners and grants. A line stays a line, so that errors name the right one.
of_this_server() {
  awk '
    in_rows { print; if ($0 == "\\.") in_rows = 0; next }
    /^COPY .* FROM stdin;$/ { in_rows = 1 }
    /^\\(un)?restrict [A-Za-z0-9]+$/ || /^ALTER .* OWNER TO .*;$/ || /^(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES|COMMENT ON EXTENSION) .*;$/ { print "--"; next }
    { print }' "$1"
}

[ "$(ask "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind <> 'i'
    and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e')")" = 0 ] ||
  fail 'the database is not empty any more'
case $kind in
init) psql_restricted "$file" ;;
plain)
  # Half of a dump is no dump: where it cannot be read to its end, the transaction is made to fail.
  { of_this_server "$file" || printf '\n\\.\nselect 1/0;\n'; } | psql_restricted - || fail "it is to be a dump of one database, as pg_dump writes it: no pg_dumpall, no --create" ;;
archive)
  pg_restore --list "$file" | grep -v ' COMMENT - EXTENSION ' >/tmp/list
  pg_restore --no-owner --no-acl --exit-on-error --single-transaction --use-list /tmp/list --dbname "$PGDATABASE" "$file" ;;
esac
ask "select 'oid ' || oid::int8 from pg_database where datname = current_database()"
ask "select format('select %L || count(*) from %I.%I;', format('rows %I.%I ', schemaname, tablename), schemaname, tablename)
  from pg_tables where schemaname !~ '^pg_' and schemaname <> 'information_schema' order by 1 limit 500" | psql -XqAt -v ON_ERROR_STOP=1 -f -
