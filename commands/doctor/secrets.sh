# shellcheck shell=dash
# Looks for the secrets of this host where none may be. Prints `searched WHERE`, and `found WHERE SECRET PLACE…` with the name of a
# secret, never its value: the values go into files in memory, and from there into no argument and no output.
secrets=/etc/botgarden/secrets
umask 077
mkdir -p /run/botgarden
# What one that was killed has left.
find /run/botgarden -maxdepth 1 -name 'doctor.*' -mmin +5 -exec rm -rf {} +
folder=$(mktemp -d /run/botgarden/doctor.XXXXXX) || exit 0
(
  trap 'rm -rf "$folder"' EXIT
  trap 'exit 1' HUP INT PIPE TERM
  mkdir "$folder/of"
  # What a file of several lines has in common with others of its kind is no secret: the first lines of keys, and short ones.
  find "$secrets" -type f ! -name pgpass ! -name '*.pub' ! -path '*/cache/*' -size -64k | sort | while read -r file; do
    name=${file#"$secrets/"}
    least=12
    [ "$(grep -c '' "$file")" -le 1 ] || least=40
    grep -aE ".{$least,}" "$file" | grep -av '^b3BlbnNzaC1rZXkt' >"$folder/of/$(printf %s "$name" | tr / :)" || :
  done
  find "$folder/of" -size 0 -delete
  cat "$folder/of/"* >"$folder/all" 2>/dev/null || exit 0
  # name_in WHERE PLACE: what is read from stdin has a secret; says which.
  name_in() {
    cat >"$folder/text"
    for each in "$folder/of/"*; do
      ! grep -qaF -f "$each" "$folder/text" || echo "found $1 $(printf %s "${each##*/}" | tr : /) $2"
    done
  }
  # logs_in WHERE PLACE: reads a log from stdin, of which little fits.
  logs_in() {
    head -c 8000000 | grep -aF -f "$folder/all" >"$folder/lines" || return 0
    name_in "$1" "$2" <"$folder/lines"
  }
  for where in cmdline environ; do
    grep -laF -f "$folder/all" /proc/[0-9]*/$where 2>/dev/null | while read -r file; do
      process=${file%/*}
      if read -r comm <"$process/comm" && uid=$(stat -c %u "$process"); then :; else continue; fi
      name_in $where "$uid $comm" 2>/dev/null <"$file"
    done
    echo "searched $where"
  done
  names=$(docker ps --all --format '{{.Names}}') || exit 0
  for name in $names; do
    docker container inspect --format '{{range .Config.Env}}{{println .}}{{end}}{{range .Config.Cmd}}{{println .}}{{end}}{{range .Config.Entrypoint}}{{println .}}{{end}}{{range .Config.Labels}}{{println .}}{{end}}' -- "$name" >"$folder/inspected" 2>/dev/null || continue
    ! grep -qaF -f "$folder/all" "$folder/inspected" || name_in inspect "$name" <"$folder/inspected"
  done
  echo 'searched inspect'
  for name in $names; do
    timeout 5 docker logs --since 24h --tail 2000 "$name" 2>&1 | logs_in log "the log of the container $name"
  done
  timeout 10 journalctl --quiet --since=-24h --lines=20000 --no-pager --output=short 2>/dev/null | logs_in log 'the journal: journalctl --since -24h'
  find /var/lib/botgarden/bots/*/logs /var/lib/botgarden/events /var/log -type f ! -path '*/journal/*' -mtime -1 -size -20M 2>/dev/null |
    while read -r file; do tail -c 8000000 "$file" | logs_in log "$file"; done
  echo 'searched log'
)
