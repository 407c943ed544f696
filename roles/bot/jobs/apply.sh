# shellcheck shell=dash
# Files and units of the jobs of the bot $bot.
jobs_changed=''
# jobs_begin: from here on no job of the bot starts, until `jobs_started` or the end of this shell.
jobs_begin() {
  (umask 077; mkdir -p "${jobs_lock%/*}")
  exec 5>>"$jobs_lock"
  flock -w 180 5 || { echo "a job of $bot has been starting for 180 s: journalctl -u 'botgarden-job-$bot.*'"; exit 1; }
}
jobs_started() { exec 5>&-; }
# job_calendar SCHEDULE: systemd accepts it.
job_calendar() {
  said=$(systemd-analyze calendar "$1" 2>&1) || { printf '%s\n' "this host does not accept the schedule $1: $said"; exit 1; }
}
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
# jobs_only NAMES: removes the other jobs of the bot. One that is under way goes on to its end.
jobs_only() {
  for path in /etc/systemd/system/"botgarden-job-$bot".*.timer /etc/systemd/system/"botgarden-job-$bot".*.service "$jobs_folder"/*; do
    [ -e "$path" ] || continue
    name=${path##*/}
    name=${name#"botgarden-job-$bot."}
    name=${name%.*}
    case " $1 " in *" $name "*) continue ;; esac
    job_unit="botgarden-job-$bot.$name"
    systemctl disable --now --quiet "$job_unit.timer" 2>/dev/null || :
    rm -f "/etc/systemd/system/$job_unit.timer" "/etc/systemd/system/$job_unit.service" "/var/lib/systemd/timers/stamp-$job_unit.timer"
    rm -f "$jobs_folder/$name.yaml" "$jobs_folder/$name.sh" "$jobs_results/$name.json" "$path"
    systemctl reset-failed "$job_unit.service" 2>/dev/null || :
    jobs_changed="$jobs_changed $name "
  done
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
