# shellcheck shell=dash
# job_calendar SCHEDULE: systemd accepts it.
job_calendar() {
  said=$(systemd-analyze calendar "$1" 2>&1) || { printf '%s\n' "this host does not accept the schedule $1: $said"; exit 1; }
}
