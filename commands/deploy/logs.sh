# shellcheck shell=dash
# The log of the containers that the pattern $containers matches, as lines `TIME CONTAINER TEXT`: what is kept of those that are
# gone, and what the engine has. $since is a time, or empty; $tail a number of lines, or `all`; $pattern what grep looks for, or empty.
log_lines() { sed -un "/^[0-9]\{4\}-[0-9-]*T[0-9:.]*Z /s/ / $1 /p"; }
# By a file, since everybody on the host sees arguments.
matching() {
  [ -n "$pattern" ] || exec cat
  grep -a --line-buffered -f /dev/fd/3 3<<pattern || :
$pattern
pattern
}
last_lines() { if [ "$1" = all ]; then cat; else tail -n "$1"; fi; }
since() { if [ -n "$since" ]; then awk -v since="${since%Z}" '$1 >= since'; else cat; fi; }
present() { docker ps --all --format '{{.Names}}' | grep -E -e "$containers" || :; }
kept() {
  for kept in "$kept_logs"/*.log; do
    name=${kept##*/}
    # By one of its colours.
    printf '%s\n' "${name%.log}-blue" | grep -qE -e "$containers" || continue
    [ ! -s "$kept" ] || printf '%s\n' "$kept"
  done
}
# Each source is cut before it is read where no line is left out of it later.
history() {
  early=$tail
  [ -z "$pattern$since" ] || early=all
  {
    kept | while IFS= read -r file; do last_lines "$early" <"$file"; done
    present | while IFS= read -r name; do
      # shellcheck disable=SC2086
      docker logs --timestamps --tail "$early" ${since:+--since "$since"} "$name" 2>&1 </dev/null | log_lines "$name"
    done
  } | since | matching | sort -s -k 1,1 | uniq | last_lines "$tail"
}
# What a reader has to know first: the secrets that are shown to nobody, and whose lines there are.
heading() {
  docker ps --quiet >/dev/null || exit 1
  printf secrets
  for secret in "$secrets"/*; do
    [ ! -f "$secret" ] || printf ' %s' "$(base64 --wrap=0 "$secret")"
  done
  printf '\ncontainers'
  { kept | sed 's#.*/##; s#\.log$##'; present | sed 's/-[a-z]*$//'; } | sort -u | sed 's/^/ /' | tr -d '\n'
  echo
}
