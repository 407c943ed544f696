# shellcheck shell=sh
# engine_ask PATH...: what the engine answers to these requests, a line each, errors too; fails where it does not answer. Its own
# client takes seventeen times as long, and is asked where there is no curl.
engine_ask() {
  if command -v curl >/dev/null; then
    engine_urls=
    for engine_path; do engine_urls="$engine_urls http://docker$engine_path"; done
    # shellcheck disable=SC2086
    curl --silent --max-time 60 --unix-socket /run/docker.sock $engine_urls
    return
  fi
  docker version >/dev/null 2>&1 || return
  for engine_path; do
    engine_path=${engine_path%/json}
    case $engine_path in
    /images/*) docker image inspect --format '{{json .}}' -- "${engine_path#/images/}" ;;
    /networks/*) docker network inspect --format '{{json .}}' -- "${engine_path#/networks/}" ;;
    esac 2>/dev/null || echo '{}'
  done
}
