# shellcheck shell=dash
# jobs_begin: from here on no job of the bot starts, until `jobs_started` or the end of this shell.
jobs_begin() {
  (umask 077; mkdir -p "${jobs_lock%/*}")
  exec 5>>"$jobs_lock"
  flock -w 180 5 || { echo "a job of $bot has been starting for 180 s: journalctl -u 'botgarden-job-$bot.*'"; exit 1; }
}
jobs_started() { exec 5>&-; }
