# shellcheck shell=dash
# The further containers of a version. `each_process COMMAND...` calls it with the container, the address and the URL of each, in
# this order, until one fails. The URL is empty where none is asked.
# as_process CHECK CONTAINER ADDRESS URL: a check of $new, for this container. It is $failed where it does not pass.
as_process() {
  own_new=$new own_address=$address own_url=$url process_status=0
  new=$2 address=$3 url=$4
  "$1" || process_status=1 failed=$new failed_url=$url
  new=$own_new address=$own_address url=$own_url
  return "$process_status"
}
await_processes() { each_process as_process await_health; }
process_answers() { healthy 5; }
# The first container that does not run, or was started again by the engine, is $failed.
all_running() {
  seen=$(states_of_all) || :
  stayed_up "$new" && each_process stayed_up
}
stayed_up() { printf '%s\n' "$seen" | grep -qxF -e "/$1 true 0" || { failed=$1 failed_url='' last=''; return 1; }; }
# settle_all SECONDS: as settle, of all containers.
settle_all() {
  begin_wait "$1"
  while time_left; do
    sleep 1
    all_running || { time_left || :; echo "$failed ended by itself, $(($1 - left)) s after all were ready"; return 1; }
  done
  healthy 5 || { echo "$new was ready and no longer answers"; return 1; }
  each_process as_process process_answers || { echo "$failed was ready and no longer answers"; return 1; }
}
# report_failed: `report` of the process that failed, else of the bot's own container.
report_failed() {
  [ -z "$failed" ] || [ "$failed" = "$new" ] || url=$failed_url
  report "${failed:-$new}"
}
# remove_processes: those whose names come by stdin.
remove_processes() { while read -r process_gone; do remove_containers "$process_gone"; done; }
