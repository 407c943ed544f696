# shellcheck shell=dash
# follow: goes on with what the containers print from $begin on, those of later releases too, until nobody reads it any more. An
# empty line each second is how it notices that. A line may come twice: the reader knows the last time of each container.
follow() {
  printf 'following %s\n' "$begin"
  (umask 077; mkdir -p "$scratch")
  followers=$(mktemp -d "$scratch/follow.XXXXXX")
  trap end_following EXIT
  trap 'exit 0' PIPE HUP TERM
  ! replicated || follow_replicas &
  while :; do
    running=$(docker ps --format '{{.Names}}' 2>/dev/null | grep -E -e "$containers" || :)
    for name in $running; do
      [ ! -e "$followers/$name" ] || continue
      : >"$followers/$name"
      follow_one "$name" &
    done
    echo
    sleep 1
  done
}
# The file says that the container is followed, and by which process. It ends with the container, which may be started again.
follow_one() {
  {
    trap - EXIT PIPE HUP TERM
    docker logs --follow --timestamps --since "$(cat "$followers/.$1" 2>/dev/null || printf %s "$begin")" "$1" </dev/null 2>&1 &
    printf '%s\n' "$!" >"$followers/$1"
    wait "$!" || :
    date -u -d '-5 seconds' +%FT%TZ >"$followers/.$1"
    rm -f "$followers/$1"
  } | log_lines "$1" | matching
}
follow_replicas() {
  trap - EXIT PIPE HUP TERM
  replica_lines --follow --since "$begin" | own_lines | matching
}
end_following() {
  trap - EXIT
  for follower in "$followers"/*; do
    [ ! -s "$follower" ] || kill "$(cat "$follower")" 2>/dev/null || :
  done
  wait || :
  rm -rf "$followers"
}
