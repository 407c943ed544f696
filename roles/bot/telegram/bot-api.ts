import { type Script, sh } from '../../../lib/shell/sh.ts'

/**
 * Shell text: calls the Bot API from the host and prints the answer. The token is read from a file (a word of shell) and passed
 * on stdin, so no argument of a process has it. `more` is shell text that prints further lines of curl's configuration.
 */
export function askTelegram(api: string, tokenFile: string, method: string, more = ''): Script {
  const file = { text: tokenFile, shown: tokenFile }
  const { text } = sh`{ printf 'url = "%s/bot%s/%s"\n' ${api} "$(cat ${file})" ${method}
      ${{ text: more || ':', shown: '' }}
    } | curl --silent --show-error --max-time 20 --config - 2>&1 || :`
  return { text, shown: `curl ${api}/bot***/${method}` }
}

/**
 * Shell text: calls the Bot API, into `$answer`. If Telegram asks to wait, it waits, twice and up to 30 seconds each. Afterwards
 * an `error_code` in the answer means that the call itself is wrong: for errors of Telegram it is left out.
 */
export function callWithRetry(api: string, tokenFile: string, method: string, more = ''): Script {
  return sh`
    for try in 1 2 3; do
      answer=$(${askTelegram(api, tokenFile, method, more)})
      seconds=$(printf %s "$answer" | sed -n '/"error_code":429/s/.*"retry_after":\([0-9]*\).*/\1/p')
      if [ "$try" = 3 ] || [ -z "$seconds" ] || [ "$seconds" -gt 30 ]; then break; fi
      sleep "$seconds"
    done
    case $answer in *'"error_code":429'* | *'"error_code":5'[0-9][0-9]*) answer=$(${errorDescription()}) ;; esac`
}

/** Shell text: prints the description of an error in `$answer`. */
export function errorDescription(): Script {
  return sh`printf %s "$answer" | sed -n 's/.*"description":"\([^"]*\)".*/\1/p'`
}
