# How many requests of each bot ended with 5xx in the last 5 minutes. Reads its notes: WHEN BOT ALL FAILED, then nginx's log of the last
# run. Writes new notes to the file `notes`, and `BOT ALL FAILED` where it is too many. Variables: now, percent, bots.
# What a client has written decides nothing but by the names of bots: other requests are those of `pages`.
BEGIN {
  total = split(bots, names, " ")
  for (i = 1; i <= total; i++) known[names[i]]
}
part == "notes" { if (now - $1 < 300 && $1 <= now) { kept[++lines] = $0; all[$2] += $3; failed[$2] += $4 } next }
match($0, /"bot":"[a-z0-9-]*","status":[0-9][0-9][0-9],/) {
  found = substr($0, RSTART + 7, RLENGTH - 8)
  status = substr(found, length(found) - 2)
  bot = substr(found, 1, index(found, "\"") - 1)
  if (!(bot in known)) bot = "pages"
  fresh[bot]++
  if (status >= 500) broken[bot]++
}
END {
  for (i = 1; i <= lines; i++) print kept[i] >notes
  for (bot in fresh) {
    print now, bot, fresh[bot], broken[bot] + 0 >notes
    all[bot] += fresh[bot]
    failed[bot] += broken[bot]
  }
  for (bot in all) if (failed[bot] >= 5 && failed[bot] * 100 >= all[bot] * percent) print bot, all[bot], failed[bot]
}
