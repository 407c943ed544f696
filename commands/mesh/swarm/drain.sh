# shellcheck shell=dash
# drain NODE MARK SECONDS: nothing of the swarm runs on that node any more, and what it ran runs elsewhere; waits for that.
drain() {
  # One that somebody has drained has no label: it stays so.
  [ "$(docker node inspect --format '{{.Spec.Availability}}' "$1")" = drain ] ||
    docker node update --availability drain --label-add "$2=on" "$1" >/dev/null
  begin_wait "$3"
  while time_left; do
    [ -n "$(docker node ps --quiet --filter desired-state=running "$1")" ] || ! all_run || return 0
    sleep 1
  done
  echo "after $3 s not all replicas run elsewhere:"
  docker service ls --format '{{.Name}} {{.Replicas}}'
}
# all_run: of each service as many replicas run as should.
all_run() {
  docker service ls --format '{{.Replicas}}' | awk '{ split($1, of, "/"); if (of[1] + 0 < of[2] + 0) lacking = 1 } END { exit lacking }'
}
