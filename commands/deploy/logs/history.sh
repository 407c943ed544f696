# shellcheck shell=dash
# The log of these containers, as lines `TIME CONTAINER TEXT`. $since is a time, or empty; $tail a number of lines, or `all`;
# $pattern is what grep looks for, or empty.
log_lines() { sed -un "/^[0-9]\{4\}-[0-9-]*T[0-9:.]*Z /s/ / $1 /p"; }
# Of the replicas those that were asked for, by the name of their host.
own_lines() { awk -v own="$containers" '($2 "-blue") ~ own'; }
# By a file, since everybody on the host sees arguments.
matching() { if [ -n "$pattern" ]; then found; else cat; fi; }
found() {
  grep -a --line-buffered -f /dev/fd/3 3<<pattern || :
$pattern
pattern
}
last_lines() { if [ "$1" = all ]; then cat; else tail -n "$1"; fi; }
since() { if [ -n "$since" ]; then awk -v since="${since%Z}" '$1 >= since'; else cat; fi; }
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
    # shellcheck disable=SC2086
    ! replicated || replica_lines --tail "$early" ${since:+--since "$since"} | own_lines
  } | since | matching | sort -s -k 1,1 | uniq | last_lines "$tail"
}
