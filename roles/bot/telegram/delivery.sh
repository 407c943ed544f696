# shellcheck shell=dash
# What Telegram says of the webhook. `webhook_info` asks it, and prints the answer.
# ask_delivery SINCE: into $answer, $hook_pending, and $hook_error: why Telegram could not deliver after this second.
# Fails where Telegram does not answer.
ask_delivery() {
  answer=$(webhook_info)
  case $answer in *'"ok":true'*) ;; *) return 1 ;; esac
  hook_pending=$(printf %s "$answer" | sed -n 's/.*"pending_update_count":\([0-9]*\).*/\1/p')
  failed=$(printf %s "$answer" | sed -n 's/.*"last_error_date":\([0-9]*\).*/\1/p')
  hook_error=''
  [ "${failed:-0}" -le "$1" ] || hook_error=$(printf %s "$answer" | sed -n 's/.*"last_error_message":"\([^"]*\)".*/\1/p')
}
# refuse_undelivered: fails with why Telegram could not deliver, if it could not.
refuse_undelivered() {
  [ -n "$hook_error" ] || return 0
  echo "Telegram cannot deliver to the new version: $hook_error"
  case $hook_error in *' 401 '* | *' 403 '*) echo "$secret_advice" ;; esac
  return 1
}
# prove_delivery SINCE: what waits at Telegram gets through. Where nothing waits there is nothing to prove.
prove_delivery() {
  waiting=''
  begin_wait 10
  while time_left; do
    ask_delivery "$1" || { echo 'warning: Telegram does not answer: delivery was not verified'; return 0; }
    refuse_undelivered || return 1
    [ "${hook_pending:-0}" -gt 0 ] && [ "$hook_pending" -ge "${waiting:=$hook_pending}" ] || return 0
    sleep 1
  done
  echo "warning: $hook_pending updates wait at Telegram, and none of them was delivered within 10 s"
}
