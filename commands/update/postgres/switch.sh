# shellcheck shell=dash
# Has the server of another version serve: $from serves, and $to is in the folder $ready. Until the new one answers, whatever fails
# brings the other one back. The newest cluster in $data is the one that counts: a rename decides.
switch_server() {
  note_networks
  keep_files
  stopped=yes
  docker stop --time 60 "$server" >/dev/null 2>&1 || :
  docker rm -f "$server" >/dev/null 2>&1 || :
  switched=yes
  decide
  sync "$data"
  write_files
  serve || exit 1
  settle
  sync "$data"
  rm -rf "$kept"
}
revert_switch() {
  trap - EXIT
  docker rm -f --volumes "$beside" >/dev/null 2>&1 || :
  if [ -n "$switched" ]; then
    docker rm -f "$server" >/dev/null 2>&1 || :
    put_back || :
    undecide || :
  fi
  [ -z "$stopped" ] || serve || echo "the server of version $from does not start again: run site.ts with the inventory that asks for it"
  rm -rf "$kept" "$data/$new.new"
  # Their sessions end with them.
  # shellcheck disable=SC2086
  [ -z "$lockers" ] || kill $lockers 2>/dev/null || :
  start_bots || :
  rm -rf "$work"
  echo "PostgreSQL $from serves as before, with all that it held"
  exit 1
}
