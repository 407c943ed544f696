# shellcheck shell=dash
# How many replicas run of each bot that this host serves by several, as the swarm tells.
watch_replicas() {
  [ -s "$run/replicas" ] || return 0
  while read -r bot wanted; do
    if [ -z "$engine_told" ] || busy; then
      unknown "replicas:$bot"
      continue
    fi
    running=$(running_replicas "$bot")
    fact "replicas of $bot: ${running:-unknown} of $wanted"
    if [ -n "$running" ] && [ "$running" -ge "$wanted" ]; then
      rm -f "$run/since.replicas.$bot"
    elif lasts "replicas.$bot" 110; then
      what="$running of its $wanted replicas run"
      [ -n "$running" ] || what="the swarm does not tell how many of its $wanted replicas run"
      bad "replicas:$bot" "$bot: $what" "on the host: docker service ps botgarden-${bot}_bot --no-trunc"
    fi
  done <"$run/replicas"
}
# running_replicas BOT: nothing where too few of those that manage the swarm are there.
running_replicas() {
  printf 'url = "http://docker/tasks?filters=%%7B%%22service%%22:%%5B%%22botgarden-%s_bot%%22%%5D,%%22desired-state%%22:%%5B%%22running%%22%%5D%%7D"\n' "$1" |
    curl --silent --globoff --max-time 10 --unix-socket /run/docker.sock --config - 2>/dev/null |
    jq 'if type == "array" then map(select(.Status.State == "running")) | length else empty end' 2>/dev/null
}
