# Of what Telegram answers about a webhook, each in a file hook.BOT: BOT STATE URL PENDING AGE MESSAGE, where AGE is the number of
# seconds since the last error, -1 without one.
def clean: tostring | gsub("[[:cntrl:]]+"; " ") | .[:200];
(input_filename | sub("^.*/hook\\."; "")) as $bot
| if .ok == true and (.result | type) == "object" then .result
  | "\($bot) ok \(.url // "" | clean | gsub(" "; "") | if . == "" then "-" else . end) \((.pending_update_count | numbers | floor) // 0) \(
      (.last_error_date | numbers | [$now - floor, 0] | max) // -1) \(.last_error_message // "" | clean)"
  elif .error_code == 401 or .error_code == 404 then "\($bot) refused - 0 -1 \(.description // "" | clean)"
  else "\($bot) silent - 0 -1 -" end
