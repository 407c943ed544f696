# shellcheck shell=dash
# engine_post PATH: sends what comes by stdin to the engine, and prints nothing where it has agreed.
engine_post() {
  answer=$(curl --silent --show-error --max-time 60 --unix-socket /run/docker.sock --header 'Content-Type: application/json' \
    --data-binary @- --write-out '\n%{http_code}' "http://engine$1" 2>&1) || { printf '%s\n' "$answer"; return 1; }
  case $answer in *'
200') return 0 ;; esac
  printf '%s\n' "the engine refuses: $answer"
  return 1
}
