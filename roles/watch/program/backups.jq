# What is wrong with backups, of the status of the last run. Variables: $now, $hours; $alive: its process is there; $there: the bytes of
# the last good one that are there.
def clean: tostring | gsub("[[:cntrl:]]+"; " ") | .[:300];
def bad($key; $text): "bad\tbackup:\($key)\t\($text | clean)\tnpx zx playbooks/backup.ts";
(try (.lastGood[:18] | strptime("%Y-%m-%dT%H%M%SZ") | mktime) catch null) as $good
| (if .result == "failed" then bad("failed"; "the backup of \(.at) failed: \(.reason)")
   elif .result == "incomplete" then bad("failed"; "the backup of \(.at) failed in part: \(.reason)")
   elif .result == "running" and $alive then "unknown\tbackup:failed"
   elif .result == "running" then bad("failed"; "the backup that began at \(.at) was killed before it ended")
   elif .result != "ok" then bad("failed"; "the result of the last backup cannot be read")
   else empty end),
  (if $good == null then
     if .result == "running" then "unknown\tbackup:age" else bad("age"; "there is no good backup yet") end
   elif $now - $good > $hours * 3600 then bad("age"; "the last good backup is \(($now - $good) / 3600 | floor) hours old")
   else empty end),
  (if (.lastGood | type) == "string" and (.bytes | type) == "number" and .bytes != $there then
     bad("copy"; "the backup \(.lastGood) cannot be used: \($there) of its \(.bytes) bytes are there")
   else empty end),
  "fact\tlast good backup: \(.lastGood // "none" | clean)"
