# shellcheck shell=dash
# sql SERVER TEXT [DATABASE]: PGOPTIONS override session defaults that the owner of a database can set.
sql() { printf '%s\n' "$2" | docker exec -i -e PGOPTIONS="$plain" "$1" psql -XqAt -v ON_ERROR_STOP=1 -v VERBOSITY=terse -U postgres -d "${3:-postgres}"; }
# await_server CONTAINER: it accepts connections.
await_server() {
  begin_wait 120
  # The server itself is the first process of the container once its cluster is made.
  until [ "$(docker exec "$1" sh -c 'head -n 1 "$PGDATA/postmaster.pid"' 2>/dev/null)" = 1 ] && docker exec "$1" pg_isready --quiet; do
    if ! time_left || [ "$(docker container inspect --format '{{.State.Running}}' "$1" 2>/dev/null)" != true ]; then
      echo "$1 does not start:"
      docker logs --tail 20 "$1" 2>&1 || :
      return 1
    fi
    sleep 0.5
  done
}
# serve: the server runs as its files say, in the networks that it was in.
serve() {
  docker compose -f "$folder/compose.yaml" up --detach --no-build --pull never --quiet-pull 2>&1 || return 1
  await_server "$server" || return 1
  printf '%s' "$networks" | while read -r name address; do
    docker network disconnect none "$server" >/dev/null 2>&1 || :
    docker network disconnect --force "$name" "$server" >/dev/null 2>&1 || :
    docker network connect --alias postgres --ip "$address" "$name" "$server" || exit 1
  done
}
# note_networks: into $networks, those of the bots that use TCP, each with the address of the server.
note_networks() {
  networks=$(docker container inspect --format '{{range $name, $each := .NetworkSettings.Networks}}{{$name}} {{$each.IPAddress}}{{"\n"}}{{end}}' "$server" 2>/dev/null | grep '\.db ' || :)
  [ -z "$networks" ] || networks="$networks
"
}
# keep_files: a copy of what the server that serves is started by; put_back has it there again.
keep_files() {
  rm -rf "$folder"/before-*
  mkdir -p "$kept.new"
  cp -p "$folder/compose.yaml" "$folder/conf/postgresql.conf" "$folder/conf/pg_hba.conf" "$kept.new"
  sync -f "$kept.new"
  mv -T "$kept.new" "$kept"
}
put_back() {
  [ -d "$kept" ] || return 0
  cp -p "$kept/compose.yaml" "$folder/compose.yaml"
  cp -p "$kept/postgresql.conf" "$kept/pg_hba.conf" "$folder/conf"
  sync -f "$folder"
}
