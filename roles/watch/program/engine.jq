# Of what the engine answers, a line for each container that is expected: NAME STATUS HEALTH RESTARTS EXIT-CODE OUT-OF-MEMORY ID;
# `oom NAME` for each event; and of all that run `runs NAME`, and `publishes NAME PORT PROTOCOL ADDRESS` for each of their ports.
if type == "array" then
  .[] | ((.Names[0] // "")[1:] | select(test("^[A-Za-z0-9_.-]+$"))) as $name
  | "runs \($name)", (.Ports[]? | select(.PublicPort) | "publishes \($name) \(.PublicPort) \(.Type) \(.IP)")
elif .Config? and .State? then
  "container \(.Name[1:]) \(.State.Status) \(.State.Health.Status // "-") \(.RestartCount) \(.State.ExitCode) \(.State.OOMKilled) \(.Id[:12])"
elif .Actor? and .Action? == "oom" then "oom \(.Actor.Attributes.name)"
else empty end
