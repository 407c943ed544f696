# shellcheck shell=dash
# The replicas of a bot: a service of the swarm. $bot, $service, $overlay and $mtu name it, $replicas_secrets the names of its secrets
# in $secrets, $replicas_wanted how many, $replicas_seconds how long they may take.
replicas_network() {
  docker network inspect "$overlay" >/dev/null 2>&1 || docker network create --driver overlay --attachable \
    --opt com.docker.network.driver.mtu="$mtu" --label "botgarden.bot=$bot" "$overlay" >/dev/null
}
# replicas_deploy: the swarm brings its service to what `replicas_body` prints, one replica after another, and back by itself where a
# new one fails.
replicas_deploy() {
  nodes=$(docker node ls --quiet --filter "node.label=botgarden.$bot=on" 2>&1) || { printf '%s\n' "this host cannot ask the swarm: $nodes"; return 1; }
  [ -n "$nodes" ] || { echo "no host of the swarm may run $bot yet: npx zx playbooks/site.ts"; return 1; }
  replicas_served=$(replicas_in_force)
  replicas_forget_secrets
  replicas_words=
  for secret in $replicas_secrets; do
    # Docker takes 64 characters, which names of bots and secrets exceed: whose it is say its labels.
    sum=$({ printf '%s %s\n' "$service" "$secret"; replicas_secret "$secret"; } | sha256sum | cut -c 1-32)
    secret_name=botgarden.$sum
    secret_id=$(docker secret inspect --format '{{.ID}}' "$secret_name" 2>/dev/null) ||
      secret_id=$(replicas_secret "$secret" | docker secret create --label "botgarden.bot=$bot" --label "botgarden.secret=$secret" "$secret_name" -) || return 1
    replicas_words="$replicas_words;s/@$secret@/$sum/;s/@id-$secret@/$secret_id/"
  done
  replicas_version=$(replicas_body | sed "$replicas_words" | sha256sum | cut -c 1-16)
  replicas_words="$replicas_words;s/@version@/$replicas_version/"
  index=$(docker service inspect --format '{{.ID}}/update?version={{.Version.Index}}' "$service" 2>/dev/null) || index=create
  replicas_body | sed "$replicas_words" | engine_post "/services/$index"
}
replicas_secret() {
  case $1 in
  postgres.crt) openssl x509 -in /etc/botgarden/secrets/postgres/server.pem ;;
  *) cat "$secrets/$1" ;;
  esac
}
# json_text FILE: its content as a part of a string of JSON.
json_text() {
  [ -s "$1" ] || { echo "$1 is missing or empty, and a variable of the bot needs it" >&2; return 1; }
  sed 's/[\\"]/\\&/g' "$1" | tr -d '\n'
}
# Those of the version before stay: the swarm may go back to it.
replicas_forget_secrets() {
  used=$(docker service inspect --format '{{range .Spec.TaskTemplate.ContainerSpec.Secrets}}{{println .SecretName}}{{end}}' "$service" 2>/dev/null || :)
  docker secret ls --filter "label=botgarden.bot=$bot" --format '{{.Name}}' | while read -r name; do
    printf '%s\n' "$used" | grep -qxF -e "$name" || docker secret rm "$name" >/dev/null 2>&1 || :
  done
}
# replicas_running: how many run of the version that was deployed last.
replicas_running() {
  docker service ps --quiet --filter desired-state=running "$service" 2>/dev/null |
    xargs -r docker inspect --type task --format '{{.Status.State}} {{index .Spec.ContainerSpec.Labels "botgarden.version"}}' 2>/dev/null |
    grep -cxF -e "running $replicas_version"
}
# replicas_await: waits until all run, and have stayed up; fails where the swarm goes back, or too much time is over.
replicas_await() {
  begin_wait "$replicas_seconds"
  while time_left; do
    rollout=$(docker service inspect --format '{{with .UpdateStatus}}{{.State}}{{end}}' "$service" 2>/dev/null) || rollout=unknown
    case $rollout in
    '' | completed) [ "$(replicas_running)" -lt "$replicas_wanted" ] || return 0 ;;
    rollback_completed | rollback_paused | paused) break ;;
    esac
    sleep 1
  done
  case $rollout in
  rollback_completed) echo 'a new replica failed, and the swarm has gone back to the version before by itself' ;;
  rollback_*) echo "a new replica failed, and the swarm could not go back to the version before as a whole: $rollout" ;;
  *) echo "only $(replicas_running) of $replicas_wanted replicas were ready within $((replicas_seconds - left)) s (${rollout:-beginning})" ;;
  esac
  replicas_report
  return 1
}
# What has failed of the version, and what it has printed.
replicas_report() {
  failed=$(docker service ps --no-trunc --format '{{.ID}} {{.Name}} on {{.Node}}: {{.CurrentState}} {{.Error}}' "$service" 2>/dev/null |
    grep -E ': (Failed|Rejected|Shutdown|Starting|Pending|Preparing|Complete)' | head -n 5)
  printf '%s\n' "$failed" | cut -d ' ' -f 2-
  for task in $(printf '%s\n' "$failed" | cut -d ' ' -f 1); do
    [ "$(docker inspect --type task --format '{{index .Spec.ContainerSpec.Labels "botgarden.version"}}' "$task" 2>/dev/null)" = "$replicas_version" ] || continue
    printed=$(timeout 20 docker service logs --raw --tail 30 "$task" 2>&1) || :
    [ -n "$printed" ] || continue
    printf '%s\n' 'last log lines:' "$printed"
    break
  done
}
# replicas_in_force: the version that the swarm is told to run.
replicas_in_force() {
  docker service inspect --format '{{index .Spec.TaskTemplate.ContainerSpec.Labels "botgarden.version"}}' "$service" 2>/dev/null || :
}
# replicas_back: what ran before runs again; where nothing did, nothing does.
replicas_back() {
  if [ -z "$replicas_before" ]; then
    replicas_remove
    return
  fi
  # A version that the swarm was never told of, or has gone back from by itself, is not in force: to go back would be one too many.
  [ -n "${replicas_version:-}" ] && [ "$replicas_version" != "$replicas_served" ] && [ "$(replicas_in_force)" = "$replicas_version" ] || return 0
  docker service rollback --detach "$service" >/dev/null 2>&1 || echo "the replicas could not be brought back: docker service rollback $service"
}
# replicas_remove: nothing of them is left in the swarm.
replicas_remove() {
  docker service rm "$service" >/dev/null 2>&1 || :
  begin_wait 60
  while time_left; do
    [ -n "$(docker ps --quiet --filter "label=com.docker.swarm.service.name=$service")" ] || break
    sleep 1
  done
  docker secret ls --quiet --filter "label=botgarden.bot=$bot" | xargs -r docker secret rm >/dev/null 2>&1 || :
  # Its tasks may take a moment to let go of it.
  begin_wait 30
  while time_left; do
    ! docker network rm "$overlay" >/dev/null 2>&1 || break
    docker network inspect "$overlay" >/dev/null 2>&1 || break
    sleep 1
  done
}
