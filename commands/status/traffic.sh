# shellcheck shell=dash
# What nginx has logged for these bots in the last hour: `bot NAME DELIVERED FAILED REFUSED` each, and how far back that reaches.
# It reads so many lines at the most, from the end, for so long.
echo "now $(date +%s)"
docker container inspect --format 'created {{.Created}}' "$server" 2>/dev/null
timeout 10 docker logs --since 60m --tail "$most" "$server" 2>/dev/null |
  awk -v bots="$bots" '
    BEGIN { split(bots, list, " "); for (i in list) known[list[i]] = 1 }
    # A quotation mark in what others send is escaped: this text is nginx alone.
    { lines++
      if (lines == 1) { time = index($0, "\"time\":\""); first = substr($0, time + 8, 25) }
      at = index($0, "\"bot\":\"")
      if (at == 0) next
      rest = substr($0, at + 7)
      end = index(rest, "\"")
      name = substr(rest, 1, end - 1)
      if (!(name in known)) next
      class = substr(rest, end + length("\",\"status\":"), 1)
      if (class == 2) delivered[name]++; else if (class == 5) failed[name]++; else refused[name]++ }
    END { for (name in known) print "bot", name, delivered[name] + 0, failed[name] + 0, refused[name] + 0
      print "lines", lines + 0, first }'
