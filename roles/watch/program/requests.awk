# How many requests of each bot ended with 5xx in the last 5 minutes. Reads its notes: WHEN BOT ALL FAILED, then the logs of PostgreSQL and nginx
# since the last run. Writes new notes to the file `notes`, and `BOT ALL FAILED` where it is too many. Variables: now, percent, bots.
# What a client has written decides nothing but by the names of bots: other requests are those of `@pages`. Connections that PostgreSQL
# refuses are those of `@connections`; and `@config` comes with the words of an nginx that does not take its configuration.
BEGIN {
  total = split(bots, names, " ")
  for (i = 1; i <= total; i++) known[names[i]]
}
# For as long as the others, since it says that only once.
part == "notes" && $2 == "@config" { if (now - $1 < 300 && $1 <= now) { configuredAt = $1; configured = substr($0, index($0, "@config") + 8) } next }
part == "notes" { if (now - $1 < 300 && $1 <= now) { kept[++lines] = $0; all[$2] += $3; failed[$2] += $4 } next }
# Behind up to 8 bytes of Docker's: further on in the line it may be the word of a client.
part == "postgres" {
  if (match($0, /[0-9]+-[0-9]+-[0-9]+ [0-9:.]+ UTC [^ ]*@[^ ]* FATAL:  (sorry, too many clients|too many connections for|remaining connection slots)/) && RSTART <= 9) {
    fresh["@connections"]++
    broken["@connections"]++
  }
  next
}
match($0, /"bot":"[a-z0-9-]*","status":[0-9][0-9][0-9],/) {
  found = substr($0, RSTART + 7, RLENGTH - 8)
  status = substr(found, length(found) - 2)
  bot = substr(found, 1, index(found, "\"") - 1)
  if (!(bot in known)) bot = "@pages"
  fresh[bot]++
  if (status >= 500) broken[bot]++
  next
}
# What stands in quotes may be a secret.
match($0, /[0-9]+\/[0-9]+\/[0-9]+ [0-9:]+ \[emerg\] [0-9#]*: /) && RSTART <= 9 {
  config = substr($0, RSTART + RLENGTH)
  gsub(/"[^"]*"/, "\"…\"", config)
  gsub(/[[:cntrl:]]/, " ", config)
  config = substr(config, 1, 200)
}
END {
  for (i = 1; i <= lines; i++) print kept[i] >notes
  for (bot in fresh) {
    print now, bot, fresh[bot], broken[bot] + 0 >notes
    all[bot] += fresh[bot]
    failed[bot] += broken[bot]
  }
  if (config == "" && configured != "") print configuredAt, "@config", configured >notes
  if (config != "") print now, "@config", config >notes
  if (config != "" || configured != "") print "@config", (config != "" ? config : configured)
  for (bot in all) if (failed[bot] >= (bot == "@connections" ? 3 : 5) && failed[bot] * 100 >= all[bot] * percent) print bot, all[bot], failed[bot]
}
