# shellcheck shell=dash
# in_unit FOLDER UNIT TITLE [mayPass]: runs FOLDER/script in a transient unit and prints what it prints. Removes the folder at the end.
# With mayPass it tells other lanes, by the pipe 6, when FOLDER/passed is there.
in_unit() {
  systemd-run --quiet --wait --collect "--unit=$2" "--description=botgarden: $3" /bin/sh "$1/script" &
  client=$!
  follow "$1" "$4"
  result=0
  wait "$client" || result=$?
  rm -rf "$1"
  return "$result"
}
# follow FOLDER [mayPass]: prints what is kept for as long as the process $client is there, and says where it came too fast.
follow() {
  n=0
  exec 5<"$1/output.0"
  while :; do
    over=''
    if [ -n "$2" ] && [ -e "$1/passed" ]; then echo passed >&6; set -- "$1" ''; fi
    kill -0 "$client" 2>/dev/null || over=yes
    next=''
    if [ -e "$1/output.$((n + 1))" ]; then next=$((n + 1))
    elif ! [ -e "$1/output.$n" ]; then
      next=$(find "$1" -name 'output.*' | sed 's/.*\.//' | sort -n | awk -v n="$n" '$1 > n { print; exit }')
    fi
    cat <&5
    if [ -n "$next" ]; then
      [ "$next" = $((n + 1)) ] || printf '\n… it prints faster than can be shown: up to %s MB are left out\n' $((next - n - 1))
      n=$next
      command exec 5<"$1/output.$n" || :
    elif [ -n "$over" ]; then break
    else sleep 0.2
    fi
  done 2>/dev/null
  exec 5<&-
}
