# shellcheck shell=dash
# await_webhook URL SECONDS whole|begin: the bot itself has set its webhook to this URL, or to one below it. What a bot appends may
# be its token: it is not printed. Without an answer of Telegram it only warns.
await_webhook() {
  begin_wait "$2"
  while time_left; do
    ask_delivery 0 || { echo 'warning: Telegram does not answer: the webhook was not verified'; return 0; }
    hook_url=$(printf %s "$answer" | sed -n 's/.*"url":"\([^"]*\)".*/\1/p' | sed 's#\\/#/#g')
    case $3:$hook_url in whole:"$1" | begin:"$1"/?*) return 0 ;; esac
    sleep 1
  done
  # Of another URL no more than whose it is: people append tokens.
  [ "$3" = whole ] || hook_url=$(printf %s "$hook_url" | sed 's#^\([a-z]*://[^/]*\)/..*#\1/…#')
  echo "the bot has not set its webhook to $1$([ "$3" = whole ] || echo /…) within $2 s: Telegram has ${hook_url:-none}"
  echo "give it this URL by \${webhook.url} in \"environment:\", or leave out \"webhook: bot\" if it does not call setWebhook"
  return 1
}
