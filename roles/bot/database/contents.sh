# shellcheck shell=sh
# In the server's container: asks each of these databases, on stdin the query. Its owner decides on the defaults of sessions in a
# database and on what is in its schemas: the superuser looks at it as that owner, and finds names where only the server has put some.
query=$(cat)
printf 'trusted '
psql -XqAt -U postgres -d postgres -c "select coalesce(json_agg(distinct name order by name), '[]') from pg_available_extension_versions where trusted"
for bot; do
  role=$(printf %s "$bot" | tr - _)
  printf '%s\n' "$query" |
    PGOPTIONS="-c role=$role -c search_path= -c statement_timeout=10s -c lock_timeout=5s" psql -XqAt -U postgres -d "$role"
done
