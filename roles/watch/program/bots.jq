# What each bot has, from its records with their paths before them, as grep -H prints them. For the shell: a line for each bot,
# `bot NAME MODE APPENDS CONTAINER…`, for one with replicas how many there are to be, and what is wrong or not known, as `take` reads it.
def clean: tostring | gsub("[[:cntrl:]]+"; " ") | .[:200];
def bad($key; $text; $next): "bad\t\($key)\t\($text | clean)\t\($next)";
def name: test("^[a-z0-9][a-z0-9-]*$");

inputs
| capture("/bots/(?<bot>[a-z0-9-]+)/(current|jobs/(?<job>[a-z0-9-]+))[.]json:(?<text>.*)$")
| .bot as $bot | .job as $job
| (.text | try fromjson catch null) as $record
| if $job != null then
    # Without `how` it is under way: what is known of it stays.
    if ($record | type) != "object" or ($record.how | type) != "string" then "unknown\tjob:\($bot).\($job)"
    elif $record.how == "ended" and $record.code == 0 then empty
    else bad("job:\($bot).\($job)";
      "\($bot): its job \($job) failed: \(if $record.how == "ended" then "exit code \($record.code)" else $record.how end)";
      "npx zx playbooks/bot.ts --name \($bot) --jobs") end
  elif ($record | type) != "object" or ($record.spec? | type) != "object" or ($record.colour | IN("blue", "green") | not) then
    bad("record:\($bot)"; "\($bot): the record of its release cannot be read"; "npx zx playbooks/site.ts"),
    # What it has is not known then.
    ("unknown\t" + ("container:botgarden-\($bot)-*", "container:botgarden-\($bot).*", "token:\($bot)", "webhook:\($bot)", "pending:\($bot)",
      "delivery:\($bot)"))
  else
    $record.spec as $spec
    | "bot \($bot) \($spec.mode | if IN("webhook", "polling", "none") then . else "none" end) \(
        if ($spec.webhookPath | strings | endswith("/*")) // false then "appends" else "whole" end) \([
          "botgarden-\($bot)-\($record.colour)",
          (($spec.processes | objects) // {} | keys[] | select(name) | "botgarden-\($bot).\(.)-\($record.colour)"),
          (if $spec.cache then "botgarden-\($bot)-cache" else empty end)
        ] | join(" "))",
      (($spec.replicas? | objects | .count | numbers) as $count | "replicas\t\($bot) \($count | floor)")
  end
