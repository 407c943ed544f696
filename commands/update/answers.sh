# shellcheck shell=dash
# answers BOT CONTAINER URL: whether a bot that serves is there: it answers 2xx where it has a URL for that, else its container runs.
answers() {
  begin_wait 60
  while :; do
    if [ "$(docker container inspect --format '{{.State.Running}}' "$2" 2>/dev/null)" != true ]; then said="$2 does not run"
    elif [ -z "$3" ]; then return 0
    else
      said=$(curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}' "$3" 2>&1) || :
      case $said in 2*) return 0 ;; esac
      said="its health check at $3 answers $said"
    fi
    time_left || break
    sleep 1
  done
  echo "silent $1 $said"
}
