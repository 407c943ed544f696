# shellcheck shell=dash
# Where the log of the containers is that the pattern $containers matches: with the engine, and in files of those that are gone.
present() { docker ps --all --format '{{.Names}}' | grep -E -e "$containers" || :; }
# Those of a service of the swarm, on all of its hosts: `TIME botgarden-BOT.HOST TEXT`. Nothing where the host is in none.
replicated() { [ -e /var/lib/docker/swarm/docker-state.json ] && docker service inspect --format ' ' "${network}_bot" >/dev/null 2>&1; }
replica_lines() {
  docker service logs --timestamps --no-trunc "$@" "${network}_bot" 2>&1 </dev/null |
    sed -un "s/^\([0-9]\{4\}-[0-9-]*T[0-9:.]*Z\) [^ ]*@\([^ ]*\) *| /\1 $network.\2 /p"
}
replica_names() { docker service ps --format '{{.Node}}' "${network}_bot" 2>/dev/null | sort -u | sed "s/^/$network./"; }
kept() {
  for kept in "$kept_logs"/*.log; do
    name=${kept##*/}
    # By one of its colours.
    printf '%s\n' "${name%.log}-blue" | grep -qE -e "$containers" || continue
    [ ! -s "$kept" ] || printf '%s\n' "$kept"
  done
}
