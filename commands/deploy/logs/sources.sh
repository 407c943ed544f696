# shellcheck shell=dash
# Where the log of the containers is that the pattern $containers matches: with the engine, and in files of those that are gone.
present() { docker ps --all --format '{{.Names}}' | grep -E -e "$containers" || :; }
kept() {
  for kept in "$kept_logs"/*.log; do
    name=${kept##*/}
    # By one of its colours.
    printf '%s\n' "${name%.log}-blue" | grep -qE -e "$containers" || continue
    [ ! -s "$kept" ] || printf '%s\n' "$kept"
  done
}
