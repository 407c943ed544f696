# Which backups of one series go. Reads names that begin with YYYY-MM-DDTHHMMSSZ, the newest first; writes `remove NAME`, and
# `future NAME` for what a wrong clock has named, which is kept. Variables: now (a name), daily, weekly, monthly.
# All of the newest two days stay, and beyond them the newest of as many days, weeks and months. Counted are those that have
# a backup, not those of the calendar: time alone removes nothing.
substr($0, 1, 18) > now { print "future " $0; next }
{
  date = days(substr($0, 1, 4), substr($0, 6, 2), substr($0, 9, 2))
  if (!any++) newest = date
  # Whoever takes one after a mishap of today must not lose that of last night by it.
  keep = newest - date <= 1
  if (counts("day " date, daily)) keep = 1
  if (counts("week " int((date - 1) / 7), weekly)) keep = 1
  if (counts("month " substr($0, 1, 7), monthly)) keep = 1
  if (!keep) print "remove " $0
}

# Whether a backup is the newest of its day, week or month, and that among the ones that are kept.
function counts(period, limit,   kind) {
  kind = substr(period, 1, index(period, " "))
  if (period in seen || number[kind] >= limit) return 0
  seen[period] = 1
  return ++number[kind]
}

# Days since some Sunday, by the calendar that is counted from March.
function days(year, month, day) {
  if (month < 3) { year--; month += 12 }
  return 365 * year + int(year / 4) - int(year / 100) + int(year / 400) + int((153 * (month - 3) + 2) / 5) + day
}
