# shellcheck shell=dash
# await_webhook URL SECONDS: the bot itself has set its webhook to this URL. Without an answer of Telegram it only warns.
await_webhook() {
  begin_wait "$2"
  while time_left; do
    ask_delivery 0 || { echo 'warning: Telegram does not answer: the webhook was not verified'; return 0; }
    hook_url=$(printf %s "$answer" | sed -n 's/.*"url":"\([^"]*\)".*/\1/p' | sed 's#\\/#/#g')
    [ "$hook_url" != "$1" ] || return 0
    sleep 1
  done
  echo "the bot has not set its webhook to $1 within $2 s: Telegram has ${hook_url:-none}"
  echo "give it this URL by \${webhook.url} in \"environment:\", or leave out \"webhook: bot\" if it does not call setWebhook"
  return 1
}
