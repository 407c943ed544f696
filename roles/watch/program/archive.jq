# What is wrong with the archive of WAL, of the record of its last run. Variable: $now.
def clean: tostring | gsub("[[:cntrl:]]+"; " ") | .[:300];
def bad($key; $text): "bad\tarchive:\($key)\t\($text | clean)\tnpx zx playbooks/site.ts --tags postgres,backups";
def minutes: ($now - .) / 60 | floor;
([inputs] | first // null) as $record
| if $record == null then bad("run"; "the archive of WAL is not tended: its program has not run since the boot")
  else $record
    | (if $now - .at > 180 then bad("run"; "the archive of WAL was last tended \(.at | minutes) minutes ago") else empty end),
      (if .fault != "" then bad("fault"; "the archive of WAL: \(.fault)") else empty end),
      (if .through and $now - .through > 180 then bad("lag"; "the archive of WAL ends \(.through | minutes) minutes ago") else empty end),
      (if .gap != "" then bad("gap"; "the archive of WAL has a gap: \(.gap | sub("^[0-9]+ "; "")); a new base closes it")
       elif .closed != "" then bad("gap"; "the archive of WAL had a gap until a moment ago: \(.closed | sub("^[0-9]+ "; "")): times before it may be out of reach")
       else empty end),
      (if .base.fault != "" then bad("base"; "the base of the archive could not be taken: \(.base.fault)") else empty end),
      (if .sent.since? and $now - .sent.since > 180 then bad("sent"; "the archive of WAL has not left the host for \(.sent.since | minutes) minutes: \(.sent.fault)") else empty end),
      (if .through then "fact\tarchive of WAL: until \($now - .through) s ago" else empty end)
  end
