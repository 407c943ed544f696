# Which backups of one series go. Reads names that begin with YYYY-MM-DDTHHMMSSZ, the newest first, each followed by the parts
# that it lacks; writes `remove NAME`, and `future NAME` for what a wrong clock has named, which is kept. Variables: now (a name),
# daily, weekly, monthly, and parts, all that there are today.
# All of the newest two days stay, and beyond them the newest of as many days, weeks and months. Counted are those that have
# a backup, not those of the calendar: time alone removes nothing. The same for each part that some of them lack, among those
# that have it: what fails every night has its last good ones.
substr($1, 1, 18) > now { print "future " $1; next }
{
  names[++count] = $1
  for (i = 2; i <= NF; i++) {
    lacks[$1, $i]
    if (index(" " parts " ", " " $i " ")) apart[$i]
  }
}
END {
  judge("")
  for (part in apart) judge(part)
  for (i = 1; i <= count; i++) if (!(names[i] in kept)) print "remove " names[i]
}

function judge(part,   i, date, newest, any) {
  for (i = 1; i <= count; i++) {
    if ((names[i], part) in lacks) continue
    date = days(substr(names[i], 1, 4), substr(names[i], 6, 2), substr(names[i], 9, 2))
    if (!any++) newest = date
    # Whoever takes one after a mishap of today must not lose that of last night by it.
    if (newest - date <= 1) kept[names[i]]
    if (counts(part, "day", date, daily)) kept[names[i]]
    if (counts(part, "week", int((date - 1) / 7), weekly)) kept[names[i]]
    if (counts(part, "month", substr(names[i], 1, 7), monthly)) kept[names[i]]
  }
}

# Whether a backup is the newest of its day, week or month, and that among the ones that are kept.
function counts(part, kind, period, limit) {
  if ((part, kind, period) in seen || number[part, kind] >= limit) return 0
  seen[part, kind, period]
  return ++number[part, kind]
}

# Days since some Sunday, by the calendar that is counted from March.
function days(year, month, day) {
  if (month < 3) { year--; month += 12 }
  return 365 * year + int(year / 4) - int(year / 100) + int(year / 400) + int((153 * (month - 3) + 2) / 5) + day
}
