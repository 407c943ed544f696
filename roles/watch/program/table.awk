# What there is to tell. Reads the table of a sink (KEY SINCE ENDED TOLD TEXT NEXT, by tabs, times in seconds since 1970), the keys that
# this run does not know about, with * at the end as beginnings, and what it has found (KEY TEXT NEXT). Writes the message, and the table as it is
# once the message is delivered (`after`), and where it is not (`before`). Variables: now, host, again: seconds until it is told again.
BEGIN { FS = OFS = "\t" }
part == "table" {
  if (NF < 5 || $2 !~ /^[0-9]+$/) next
  add($1)
  since[$1] = $2; ended[$1] = $3; told[$1] = $4; text[$1] = $5; todo[$1] = $6
  next
}
part == "unknown" { unknown[++unknowns] = $1; next }
{
  if (!($1 in known)) { add($1); since[$1] = now; told[$1] = 0 }
  ended[$1] = 0
  seen[$1] = 1
  text[$1] = $2; todo[$1] = $3
}
END {
  for (i = 1; i <= count; i++) {
    key = keys[i]
    if (!ended[key] && !(key in seen) && !isUnknown(key)) ended[key] = now
    if (told[key] > now) told[key] = now
  }
  for (i = 1; i <= count; i++) {
    key = keys[i]
    if (!ended[key] && !told[key]) say("⚠️ " host ": " text[key], "since " date(since[key]), todo[key])
  }
  for (i = 1; i <= count; i++) {
    key = keys[i]
    if (ended[key] && !told[key]) say("✅ " host ": was and is over: " text[key], "from " date(since[key]) " for " lasted(key), "")
    else if (ended[key]) say("✅ " host ": resolved: " text[key], "since " date(since[key]) ", for " lasted(key), "")
  }
  for (i = 1; i <= count; i++) {
    key = keys[i]
    if (!ended[key] && told[key] && now - told[key] >= again) say("⚠️ " host ": still: " text[key], "since " date(since[key]), todo[key])
  }
  if (left) printf "… and %d more in the next message\n", left
  for (i = 1; i <= count && i <= 300; i++) {
    key = keys[i]
    if (!ended[key] || !(key in said)) print key, since[key], ended[key], (key in said ? now : told[key]), text[key], todo[key] >after
    print key, since[key], ended[key], told[key], text[key], todo[key] >before
  }
}
function add(key) { keys[++count] = key; known[key] }
function isUnknown(key,   i) {
  for (i = 1; i <= unknowns; i++) {
    if (unknown[i] == key) return 1
    if (unknown[i] ~ /[*]$/ && index(key, substr(unknown[i], 1, length(unknown[i]) - 1)) == 1) return 1
  }
  return 0
}
# Of the current key. A message of Telegram's has room for 4096 characters; what does not fit is told by the next run.
function say(what, when, next_,   lines) {
  lines = what "\n  " when "\n" (next_ == "" ? "" : "  next: " next_ "\n")
  if (used + length(lines) > 3500) { left++; return }
  used += length(lines)
  said[key]
  printf "%s", lines
}
function lasted(key,   minutes) {
  minutes = int((ended[key] - since[key] + 59) / 60)
  return minutes < 120 ? minutes " min" : int(minutes / 60) " h"
}
# In UTC: not every awk has strftime.
function date(seconds,   days, era, year, day, month) {
  days = int(seconds / 86400) + 719468
  era = int(days / 146097)
  day = days - era * 146097
  year = int((day - int(day / 1460) + int(day / 36524) - int(day / 146096)) / 365)
  day -= 365 * year + int(year / 4) - int(year / 100)
  month = int((5 * day + 2) / 153)
  day = day - int((153 * month + 2) / 5) + 1
  year += era * 400 + (month >= 10)
  month = month < 10 ? month + 3 : month - 9
  return sprintf("%04d-%02d-%02d %02d:%02d UTC", year, month, day, int(seconds % 86400 / 3600), int(seconds % 3600 / 60))
}
