# shellcheck shell=dash
# Who is told, and of what: a sink is the chat or the URL. What it has not taken stays in its table, as one line for each thing, so that
# however long it is away it then gets one message.
# tell SINK: what has changed, and once a day what has not.
tell() {
  table=$run/$1.table
  [ -e "$table" ] || : >"$table"
  : >"$table.after"
  : >"$table.before"
  awk -v now="$now" -v host="$host" -v again=86400 -v after="$table.after" -v before="$table.before" -f "$home/table.awk" \
    part=table "$table" part=unknown "$run/unknown" part=found "$run/found" >"$run/message" || return 1
  if [ ! -s "$run/message" ] || send "$1" "$run/message"; then
    mv -f "$table.after" "$table"
    rm -f "$table.before"
  else
    mv -f "$table.before" "$table"
    rm -f "$table.after"
    undelivered=yes
  fi
}
# send SINK FILE: fails with its reason in $why. Who has asked to wait is not asked before.
send() {
  why=''
  noted "$1.until"
  if [ "$noted" -gt "$now" ] && [ "$noted" -le $((now + 3600)) ]; then
    why='it has asked to wait'
    return 1
  fi
  "send_$1" "$2" && return
  printf 'alerts cannot be sent to the %s: %s\n' "$1" "$why" >&2
  return 1
}
send_chat() {
  token=''
  { IFS= read -r token || :; } 2>/dev/null <"$token_file"
  case $token in '' | *[!0-9A-Za-z:_-]*)
    why="$token_file holds no token"
    return 1
    ;;
  esac
  answer=$({
    printf 'url = "%s/bot%s/sendMessage"\n' "$telegram" "$token"
    printf 'data-urlencode = "chat_id=%s"\ndata-urlencode = "text@%s"\n' "$chat" "$1"
  } | curl --silent --max-time 15 --max-filesize 65536 --config - 2>/dev/null)
  case $answer in
  *'"ok":true'*) return 0 ;;
  *'"error_code":429'*)
    why='Telegram asks to wait'
    wait=$(printf %s "$answer" | sed -n 's/.*"retry_after":\([0-9]\{1,4\}\).*/\1/p')
    echo $((now + ${wait:-60})) >"$run/chat.until"
    ;;
  *'"error_code":4'*)
    why="Telegram refuses: $(printf %s "$answer" | tr -d '\000-\037' | sed -n 's/.*"description":"\([^"]\{0,200\}\).*/\1/p')"
    echo $((now + 600)) >"$run/chat.until"
    ;;
  *) why='Telegram does not answer' ;;
  esac
  return 1
}
send_url() {
  code=$(printf 'url = "%s"\ndata-binary = "@%s"\nheader = "Content-Type: text/plain; charset=utf-8"\noutput = "/dev/null"\nwrite-out = "%%{http_code}"\n' "$url" "$1" |
    curl --silent --max-time 15 --config - 2>/dev/null)
  case $code in
  2??) return 0 ;;
  4??)
    why="it refuses, HTTP $code"
    echo $((now + 600)) >"$run/url.until"
    ;;
  000 | '') why='it does not answer' ;;
  *) why="it answers HTTP $code" ;;
  esac
  return 1
}
# summary: once a day, at the time of $digest.
summary() {
  [ -n "$digest" ] || return 0
  [ "${clock%:*}${clock#*:}" -ge "${digest%:*}${digest#*:}" ] || return 0
  waiting=''
  for sink in $sinks; do
    noted "digest.$sink"
    [ "$noted" = "$today" ] || waiting="$waiting $sink"
  done
  [ -n "$waiting" ] || return 0
  {
    if [ -s "$run/found" ]; then
      printf '📋 %s: %s wrong:\n' "$host" "$(wc -l <"$run/found")"
      cut -f 2 "$run/found" | sort -u | head -n 20
    else printf '📋 %s: all is well\n' "$host"; fi
    read -r load _ </proc/loadavg
    awk -v load="$load" '/^MemTotal:/ { all = $2 } /^MemAvailable:/ { free = $2 } END { printf "memory: %d of %d MiB in use, load %s\n", (all - free) / 1024, all / 1024, load }' /proc/meminfo
    printf 'bots: %s\n' "$(wc -l <"$run/bots")"
    head -n 30 "$run/facts"
  } | head -c 3500 >"$run/summary"
  for sink in $waiting; do
    ! send "$sink" "$run/summary" || echo "$today" >"$run/digest.$sink"
  done
}
