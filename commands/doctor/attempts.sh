# shellcheck shell=dash
# Removes what a doctor that was killed with its engine has left: any other container of a doctor ends by itself.
now=$(date +%s)
docker ps --all --filter label=botgarden.doctor --format '{{.ID}} {{.Label "botgarden.doctor"}}' | while read -r id since; do
  case $since in '' | *[!0-9]*) since=0 ;; esac
  [ $((now - since)) -lt 120 ] || docker rm -f "$id" >/dev/null 2>&1
done
image=$(docker container inspect --format '{{.Config.Image}}' botgarden-postgres 2>/dev/null) || image=$usual
# attempt BOT TARGET…: what $program comes by in the place of that bot. $options are of docker run.
attempt() {
  bot=$1
  shift
  # shellcheck disable=SC2086
  said=$(timeout 40 docker run --rm --pull never --label "botgarden.doctor=$now" --name "botgarden-doctor-$bot-$$" $options \
    --entrypoint timeout "$image" 25 bash -c "$program" doctor "$@" 2>&1)
  printf 'bot %s\n%s\n' "$bot" "$said"
}
