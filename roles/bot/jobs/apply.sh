# shellcheck shell=dash
# Files and timers of the jobs of a bot; what has changed is noted in $jobs_changed.
# job_file PATH MODE BASE64: the file has this content.
job_file() {
  candidate="${1%/*}/.${1##*/}.botgarden"
  printf %s "$3" | base64 -d | tee "$candidate" >/dev/null
  if cmp -s "$candidate" "$1"; then
    rm -f "$candidate"
    chown root:root "$1"
    chmod "$2" "$1"
    return 0
  fi
  chmod "$2" "$candidate"
  sync "$candidate"
  mv -fT "$candidate" "$1"
  jobs_changed="$jobs_changed ${1##*/} "
}
# job_timer UNIT MISSED: the timer runs, now and after a boot.
job_timer() {
  systemctl enable --quiet "$1.timer"
  case $jobs_changed in
  *" $1.timer "*)
    # What was missed by other times is not made up for.
    if [ "$2" = run ]; then
      mkdir -p /var/lib/systemd/timers
      touch "/var/lib/systemd/timers/stamp-$1.timer"
    fi
    systemctl restart "$1.timer"
    ;;
  *) systemctl start "$1.timer" ;;
  esac
}
