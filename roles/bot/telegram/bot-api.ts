import { type Script, sh } from '../../../lib/shell/sh.ts'

/**
 * Asks the Bot API, from the host. The token comes from a file (a word of shell) and goes by stdin, as everything else that
 * is said: no argument of any process holds it. `more`: shell text that prints further lines of curl's configuration.
 */
export function askTelegram(api: string, tokenFile: string, method: string, more = ''): Script {
  const file = { text: tokenFile, shown: tokenFile }
  const { text } = sh`{ printf 'url = "%s/bot%s/%s"\n' ${api} "$(cat ${file})" ${method}
      ${{ text: more || ':', shown: '' }}
    } | curl --silent --show-error --max-time 20 --config - 2>&1 || :`
  return { text, shown: `curl ${api}/bot***/${method}` }
}

/**
 * The same with patience, into `$answer`: what Telegram has us wait for is waited for, twice and for half a minute at the most.
 * Trouble of its own is then as good as no answer; an `error_code` that is left says that what was asked for is wrong.
 */
export function callWithRetry(api: string, tokenFile: string, method: string, more = ''): Script {
  return sh`
    for try in 1 2 3; do
      answer=$(${askTelegram(api, tokenFile, method, more)})
      seconds=$(printf %s "$answer" | sed -n '/"error_code":429/s/.*"retry_after":\([0-9]*\).*/\1/p')
      if [ "$try" = 3 ] || [ -z "$seconds" ] || [ "$seconds" -gt 30 ]; then break; fi
      sleep "$seconds"
    done
    case $answer in *'"error_code":429'* | *'"error_code":5'[0-9][0-9]*) answer=$(${description()}) ;; esac`
}

/** What Telegram says of an error, from `$answer`. */
export function description(): Script {
  return sh`printf %s "$answer" | sed -n 's/.*"description":"\([^"]*\)".*/\1/p'`
}
