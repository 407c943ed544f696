#!/bin/sh
# A stand-in for docker: containers, images and networks are files below $STATE. nginx and PostgreSQL answer as far as our
# scripts talk to them. A line of $STATE/fails is a pattern of calls that fail.
printf 'docker %s\n' "$*" >>"$STATE/calls"
if [ -s "$STATE/fails" ] && grep -qE -f "$STATE/fails" <<call
docker $*
call
then
  echo "refused: docker $*" >&2
  exit 1
fi
[ ! -e "$STATE/docker" ] || . "$STATE/docker"
containers=$STATE/containers

# Without a program: it is called a hundred times.
of() {
  value=
  [ ! -e "$containers/$1/$2" ] || read -r value <"$containers/$1/$2" || :
  printf %s "$value"
}
becomes() { printf %s "$3" >"$containers/$1/$2"; }
last() { for word; do :; done; printf %s "$word"; }
# The containers among the words.
bots() { printf '%s\n' "$@" | grep '^botgarden-'; }
up() {
  mkdir -p "$containers/$1"
  becomes "$1" status running
  becomes "$1" restarts 0
}
inspect() {
  [ "$1" != --format ] || { format=$2; shift 2; }
  [ "$1" != -- ] || shift
  for name; do
    [ -d "$containers/$name" ] || { code=1; continue; }
    running=false
    [ "$(of "$name" status)" != running ] || running=true
    printf '%s\n' "$format" | sed -e "s/{{.State.Running}}/$running/; s/{{.RestartCount}}/$(of "$name" restarts)/; s#{{.Name}}#/$name#" \
      -e "s/{{.State.Status}}/$(of "$name" status)/; s/{{.State.Pid}}/4999999/; s/{{.State.ExitCode}}/7/; s/{{.State.OOMKilled}}/false/" \
      -e "s/{{.State.Health.Status}}/healthy/; s/{{.Config.Image}}/image-of-$name/"
  done
  exit "${code:-0}"
}
loaded() { sed -n 's/^return 200 \(.*\);$/\1/p' "$NGINX/running/checksum.conf" >"$STATE/loaded"; }

inside() {
  name=$1
  shift
  case $name,$* in
  botgarden-nginx,*nginx\ -t*)
    ! grep -rq BAD "$NGINX/conf" "$(dirname "$(last "$@" | sed "s#^/etc/nginx#$NGINX#")")" || { echo "nginx: unknown directive BAD in $(last "$@")"; exit 1; } ;;
  botgarden-nginx,*kill\ -HUP*) [ -e "$STATE/deaf" ] || loaded ;;
  *pg_dump*) echo "DUMP of $(last "$@")" ;;
  *pg_restore*) grep -q '^DUMP' || { echo 'pg_restore: error: no dump' >&2; exit 1; } ;;
  *psql*) cat >"$STATE/sql.last"; cat "$STATE/sql.last" >>"$STATE/sql"; [ ! -e "$STATE/answer" ] || . "$STATE/answer" <"$STATE/sql.last" ;;
  esac
}

case "$1 $2" in
'container inspect') shift 2; inspect "$@" ;;
'image inspect') [ -e "$STATE/images/$(last "$@" | tr / _)" ] ;;
'image ls') cat "$STATE/built" 2>/dev/null || : ;;
'image rm') rm "$STATE/images/$(last "$@" | tr / _)" ;;
'network inspect') [ -e "$STATE/networks/$(last "$@")" ] ;;
'network create') last "$@" >"$STATE/networks/$(last "$@")" ;;
'network rm') rm "$STATE/networks/$(last "$@")" ;;
compose*)
  file=$3
  # The file of variables must be there; what it had is noted.
  variables=$(sed -n '/env_file:/{n;s/^ *- //p;q}' "$file")
  [ -z "$variables" ] || variables=${STATE%/*}/root$variables
  [ -z "$variables" ] || { stat -c %a "$variables" && cat "$variables"; } >"$STATE/variables" || exit 1
  case $4 in
  up)
    # Of these services, if any are named.
    words=$*
    awk -v only=" ${words#*--quiet-pull} " '/^services:/ { inside = 1 } inside && /^  [^ ]/ { of = $1; sub(":", "", of) }
      $1 == "container_name:" && (only ~ /^ *$/ || index(only, " " of " ")) { print $2 }' "$file" | while read -r name; do
      up "$name"
      becomes "$name" restart "$(sed -n 's/^ *restart: "*\([a-z-]*\)"*$/\1/p' "$file" | head -n 1)"
    done ;;
  run) cat >/dev/null; ! grep -q . "$STATE/migration" 2>/dev/null || { cat "$STATE/migration"; exit 1; } ;;
  esac ;;
exec*)
  shift
  while :; do
    case $1 in -i) shift ;; -e | -u) shift 2 ;; *) break ;; esac
  done
  [ "$(of "$1" status)" = running ] || { echo "container $1 is not running" >&2; exit 1; }
  inside "$@" ;;
ps*) { ls "$containers" 2>/dev/null || :; } | grep -E -e "$(printf '%s\n' "$@" | sed -n 's/^name=//p')" || : ;;
stop*) for name in $(bots "$@"); do [ -d "$containers/$name" ] || exit 1; becomes "$name" status exited; done ;;
start*) for name in $(bots "$@"); do [ -d "$containers/$name" ] || exit 1; up "$name"; done ;;
restart*) name=$(last "$@"); [ -d "$containers/$name" ] || exit 1; up "$name"; [ "$name" != botgarden-nginx ] || loaded ;;
'update --restart') for name in $(bots "$@"); do [ -d "$containers/$name" ] || exit 1; becomes "$name" restart "$3"; done ;;
rm*) for name in $(bots "$@"); do [ -d "$containers/$name" ] || exit 1; rm -r "${containers:?}/$name"; done ;;
run*) name=$(printf '%s\n' "$@" | grep -A 1 -x -e --name | tail -n 1); up "$name" ;;
logs*)
  case $* in *--timestamps*) printf '2026-11-26T08:00:00.000000001Z ' ;; esac
  echo "the log of $(last "$@")" ;;
esac
