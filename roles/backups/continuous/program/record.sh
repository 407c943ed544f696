# shellcheck shell=dash
# What is told of a run, and how the server is asked.

record() {
  waiting=0 since=''
  [ -z "$to" ] || {
    waiting=$(find "$state/outgoing" -name '*.age' 2>/dev/null | wc -l)
    since=$(find "$state/outgoing" -name '*=wal-*.age' -printf '%T@\n' 2>/dev/null | sort -n | head -n 1)
  }
  newest=$(find "$state/store/${chain:-none}" -name 'base-*.age' -printf '%T@ %s\n' 2>/dev/null | sort -n | tail -n 1)
  first=$(first_base "$state/store/${chain:-none}") oldest=$(first_base "$state/store")
  # Long enough for a watch to see it.
  closed=$(find "$state/gap-closed" -mmin -10 -exec cat {} + 2>/dev/null)
  jq -n --arg at "$began" --arg through "$(cat "$run/through" 2>/dev/null)" --arg fault "$fault" --arg chain "$chain" \
    --arg base "${newest%% *}" --arg baseBytes "${newest#* }" --arg first "$first" --arg oldest "$oldest" --arg closed "$closed" --arg bytes "$(cat "$run/bytes" 2>/dev/null)" \
    --arg gap "$(cat "$state/gap" 2>/dev/null)" --arg baseFault "$(cat "$run/base-failed" 2>/dev/null)" \
    --arg to "$to" --arg waiting "$waiting" --arg since "${since%%.*}" --arg sendFault "$([ "$waiting" = 0 ] || words "$run/send-errors-wal")" \
    'def number: if . == "" then null else (tonumber | floor) end;
     {format: 1, at: ($at | number), through: ($through | number), chain: $chain, fault: $fault, gap: $gap, closed: $closed, first: $first,
      oldest: $oldest,
      base: {at: ($base | number), bytes: ($baseBytes | number), fault: $baseFault}, bytes: ($bytes | number)}
     + if $to == "" then {} else {sent: {waiting: ($waiting | number), since: ($since | number), fault: $sendFault}} end' >"$run/status.new" &&
    mv -f "$run/status.new" "$run/status.json"
}

first_base() { find "$1" -name 'base-*.age' -printf '%f\n' 2>/dev/null | sort | head -n 1; }

# Its time is limited in the server: a client that is killed may leave its program behind, as a child of the server.
sql() {
  timeout 240 docker exec -i -e PGOPTIONS='-c statement_timeout=20s -c client_min_messages=warning' "$server" \
    psql -XqAt -v ON_ERROR_STOP=1 -v VERBOSITY=terse -U postgres -d postgres
}
# The end of what a program has printed, as one line without control characters.
words() { tail -n 3 "$1" 2>/dev/null | tr '\n' ' ' | tr -d '\000-\037\177' | head -c 300; }
