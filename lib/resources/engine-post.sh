# shellcheck shell=sh
# engine_post PATH: sends what comes by stdin to the engine, where no argument shows it, and prints nothing where it has agreed.
engine_post() {
  engine_answer=$(curl --silent --show-error --max-time 60 --unix-socket /run/docker.sock --header 'Content-Type: application/json' \
    --data-binary @- --write-out '\n%{http_code}' "http://docker$1" 2>&1) || { printf '%s\n' "$engine_answer"; return 1; }
  case $engine_answer in *'
200' | *'
201') return 0 ;; esac
  printf '%s\n' "the engine refuses: $engine_answer"
  return 1
}
