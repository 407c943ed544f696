# Restarts and lack of memory of containers. Reads its notes: NAME ID RESTARTS IN-A-ROW WHEN OUT-OF-MEMORY WHEN, then what the engine
# says (engine.jq). Writes new notes to the file `notes`, and what is wrong as `WHAT NAME DETAIL`. Variables: now, most, expected.
part == "notes" { id[$1] = $2; count[$1] = $3; row[$1] = $4; restarted[$1] = $5; flag[$1] = $6; starved[$1] = $7; next }
$1 == "oom" { starved[$2] = now; next }
$1 == "container" {
  name = $2
  seen[name] = 1
  if (id[name] != $8) { id[name] = $8; count[name] = $5; row[name] = 0; restarted[name] = 0; flag[name] = "false" }
  again = $5 - count[name]
  # After 10 minutes without one they begin anew.
  if (now - restarted[name] >= 600) row[name] = 0
  if (again > 0) { row[name] += again; restarted[name] = now }
  if ($7 == "true" && (flag[name] != "true" || again > 0)) starved[name] = now
  count[name] = $5
  flag[name] = $7
  if (now - starved[name] < 600) print "memory", name
  if ($3 == "restarting") print "down", name, "keeps ending, exit code " $6
  else if ($3 != "running") print "down", name, "is not running (" $3 ", exit code " $6 ")"
  else if (row[name] >= most) print "down", name, "has ended and was started again " row[name] " times"
  else if ($4 == "unhealthy") print "down", name, "is unhealthy"
}
END {
  total = split(expected, names, " ")
  for (i = 1; i <= total; i++) {
    name = names[i]
    if (name in seen) print name, id[name], count[name], row[name], restarted[name], flag[name], starved[name] + 0 >notes
    else print "down", name, "does not exist"
  }
}
