# shellcheck shell=dash
# spread SERVICE: where a node runs more than its share of the replicas, more of them start, which is where the fewest are, and then the
# swarm takes away those that are too many on a node. An update of the service would start each beside the one that it replaces, where
# that counts for its node: it may come out as uneven as before.
spread() (
  service=$1
  asked() { docker service inspect --format "$1" "$service"; }
  count=$(asked '{{.Spec.Mode.Replicated.Replicas}}') bot=$(asked '{{index .Spec.Labels "botgarden.bot"}}')
  nodes=$(docker node ls --quiet --filter "node.label=botgarden.$bot=on" | wc -l)
  [ "${count:-0}" -gt 0 ] && [ "$nodes" -gt 0 ] || exit 0
  share=$(((count + nodes - 1) / nodes))
  most=$(docker service ps --filter desired-state=running --format '{{.Node}}' "$service" | sort | uniq -c | sort -rn | awk 'NR == 1 { print $1 }')
  [ "${most:-0}" -gt "$share" ] || exit 0
  trap 'docker service scale --detach "$service=$count" >/dev/null 2>&1' EXIT
  trap 'exit 143' HUP TERM
  timeout 300 docker service scale "$service=$((count + share))" >/dev/null 2>&1 ||
    echo "not as many replicas of $service ran as would spread them over all hosts: docker service ps $service"
  trap - EXIT
  timeout 300 docker service scale "$service=$count" >/dev/null 2>&1 || echo "$service does not come to $count replicas again: docker service ps $service"
)
