# What goes of an archive. Reads names, sorted: CHAIN/wal-SEGMENT-TIME.gz.age and CHAIN/base-TIME-SEGMENT-LAST.tar.gz.age; writes those that
# go. Variable: cutoff, a time as in the names. Whatever second after it is asked for, its base is there: the newest one from before
# stays, with all WAL from its first segment on.
{
  split($1, part, "/")
  names[++count] = $1
  chain[count] = part[1]
  split(part[2], of, "[-.]")
  isBase[count] = of[1] == "base"
  time[count] = isBase[count] ? of[2] : of[3]
  segment[count] = isBase[count] ? of[3] : of[2]
  if (isBase[count] && time[count] <= cutoff && (!kept || time[count] > time[kept])) kept = count
}
END {
  if (!kept) exit
  for (i = 1; i <= count; i++)
    if (chain[i] < chain[kept] || (chain[i] == chain[kept] && (isBase[i] ? time[i] < time[kept] : segment[i] < segment[kept]))) print names[i]
}
