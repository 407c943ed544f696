# shellcheck shell=dash
# What Telegram says of each bot: at most 8 bots a run, in turn, and side by side. A token is never in an argument.
watch_hooks() {
  heard='' asked=''
  while read -r _ bot mode appends _; do
    [ "$mode" = none ] || asked="$asked $bot"
  done <"$run/bots"
  rm -rf "$run/hooks"
  mkdir "$run/hooks"
  choose
  asked_at=$(date +%s)
  # shellcheck disable=SC2086
  [ -z "$chosen" ] || hook_requests $chosen | curl --silent --parallel --parallel-max 8 --config - >/dev/null 2>&1
  heard_at=$(date +%s)
  date=$(sed -n 's/^[Dd]ate: *\([A-Za-z0-9:, ]*\).*/\1/p' "$run/hooks/date" 2>/dev/null)
  [ -z "$date" ] || heard=$(date -d "$date" +%s 2>/dev/null) || heard=''
  set -- "$run"/hooks/hook.*
  : >"$run/answers"
  [ ! -e "$1" ] || jq -r --argjson now "$now" -f "$home/hooks.jq" "$@" 2>/dev/null >"$run/answers"
  # A release with another token has no webhook for a moment.
  applying=''
  ! busy || applying=yes
  while read -r bot mode appends _; do
    hook_of "$bot" "$mode" "$appends"
  done <<bots
$(cut -d ' ' -f 2- "$run/bots")
bots
}
# choose: into $chosen, up to 8 of those in $asked, behind those of the last run.
choose() {
  noted turn
  from=$noted chosen=''
  # shellcheck disable=SC2086
  set -- $asked
  [ $# -gt 0 ] || return 0
  left=8
  [ $# -ge 8 ] || left=$#
  while [ "$left" -gt 0 ]; do
    from=$((from % $# + 1)) left=$((left - 1))
    eval "chosen=\"\$chosen \${$from}\""
  done
  echo "$from" >"$run/turn"
}
hook_requests() {
  first=yes
  for bot; do
    token=''
    { IFS= read -r token || :; } 2>/dev/null <"/etc/botgarden/secrets/bots/$bot/token"
    case $token in '' | *[!0-9A-Za-z:_-]*) continue ;; esac
    [ -n "$first" ] || echo next
    [ -z "$first" ] || printf 'dump-header = "%s"\n' "$run/hooks/date"
    first=''
    printf 'silent\nmax-time = 8\nmax-filesize = 65536\noutput = "%s"\nurl = "%s/bot%s/getWebhookInfo"\n' "$run/hooks/hook.$bot" "$telegram" "$token"
  done
}
# hook_of BOT MODE APPENDS: what is wrong with the webhook of a bot. Who was not asked, or got no answer, is as it was.
hook_of() {
  [ -n "$1" ] && [ "$2" != none ] || return 0
  answer=''
  [ -n "$applying" ] || answer=$(grep -m 1 "^$1 " "$run/answers")
  case $answer in
  "$1 ok "*) ;;
  "$1 refused "*)
    bad "token:$1" "$1: Telegram rejects its token" "npx zx playbooks/bot.ts --name $1, with its new token"
    unknown "webhook:$1"
    unknown "pending:$1"
    return
    ;;
  *)
    for each in token webhook pending delivery; do unknown "$each:$1"; done
    return
    ;;
  esac
  hook_state "$1" "$2" "$3" "${answer#"$1 ok "}"
}
# hook_state BOT MODE APPENDS "URL PENDING AGE MESSAGE…"
hook_state() {
  bot=$1 mode=$2 appends=$3
  read -r url_there waiting age message <<answer
$4
answer
  next="npx zx playbooks/bot.ts --name $bot"
  own=$origin/tg/$bot
  # Without its path, which may hold a token.
  elsewhere=${url_there#*://}
  elsewhere=${elsewhere%%/*}
  case $mode.$appends.$url_there in
  webhook.*.-) bad "webhook:$bot" "$bot: its webhook is gone: somebody polls with its token, or has deleted it" "$next" ;;
  webhook.whole."$own" | webhook.appends."$own"/?*) ;;
  webhook.*) bad "webhook:$bot" "$bot: its webhook leads elsewhere: to $elsewhere" "$next" ;;
  polling.*.-) ;;
  polling.*) bad "webhook:$bot" "$bot: it polls, but somebody has set a webhook to $elsewhere" "$next" ;;
  esac
  noted "pending.$bot"
  echo "$waiting" >"$run/pending.$bot"
  if [ "$waiting" -ge "$pending" ] && [ "$waiting" -ge "$noted" ]; then
    bad "pending:$bot" "$bot: $waiting updates wait at Telegram, and they do not get fewer" "$next --logs"
  fi
  # Up to 5 minutes later, since one error is no reason to say that it is over.
  if [ "$age" -ge 0 ] && [ "$age" -lt 300 ] && [ "$waiting" -gt 0 ]; then
    bad "delivery:$bot" "$bot: Telegram cannot deliver: $message" "$next --logs"
  fi
}
