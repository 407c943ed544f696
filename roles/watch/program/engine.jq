# Of what the engine answers, a line for each container: NAME STATUS HEALTH RESTARTS EXIT-CODE OUT-OF-MEMORY ID,
# and `oom NAME` for each event.
if .Config? and .State? then
  "container \(.Name[1:]) \(.State.Status) \(.State.Health.Status // "-") \(.RestartCount) \(.State.ExitCode) \(.State.OOMKilled) \(.Id[:12])"
elif .Actor? and .Action? == "oom" then "oom \(.Actor.Attributes.name)"
else empty end
