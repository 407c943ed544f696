import { type Script, sh } from '../../lib/sh.ts'

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
