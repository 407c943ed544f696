# What runs beside the releases. Reads ufw's rules, then what the engine says (engine.jq). Writes `unknown NAME` for a container of a bot
# that no release has, and `port NAME PORT/PROTOCOL` for a port that is published past the firewall and that no rule opens. Variable: expected.
BEGIN {
  total = split(expected, names, " ")
  for (i = 1; i <= total; i++) known[names[i]]
}
# `### tuple ### allow tcp 8000:8010 0.0.0.0/0 any 0.0.0.0/0 in`
part == "rules" { if ($2 == "tuple" && $4 ~ /(^|:)allow/) { protocol[++rules] = $5; ports[rules] = $6 } next }
$1 == "runs" && $2 ~ /^botgarden-.*-(blue|green|cache)$/ && !($2 in known) { print "unknown", $2 }
# Docker tells of IPv4 and of IPv6.
$1 == "publishes" && $5 !~ /^127[.]|^::1$/ && !(($2, $3, $4) in said) && !opened($3, $4) {
  said[$2, $3, $4]
  print "port", $2, $3 "/" $4
}
function opened(port, by,   i, j, parts, range, total) {
  for (i = 1; i <= rules; i++) {
    if (protocol[i] != "any" && protocol[i] != by) continue
    if (ports[i] == "any") return 1
    total = split(ports[i], parts, ",")
    for (j = 1; j <= total; j++) {
      split(parts[j] ":" parts[j], range, ":")
      if (port + 0 >= range[1] + 0 && port + 0 <= range[2] + 0) return 1
    }
  }
  return 0
}
