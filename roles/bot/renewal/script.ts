import { databaseName } from '../../../lib/platform/database-name.ts'
import { writePassFile } from '../../../lib/platform/pgpass.ts'
import { setPassword } from '../../../lib/platform/postgres.ts'
import { psql } from '../../../lib/platform/postgres-client.ts'
import { waiting } from '../../../lib/shell/deadline.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { cacheLayout } from '../cache/layout.ts'
import { holdJobs } from '../jobs/apply-script.ts'
import { restartProcesses } from '../release/processes/repair.ts'
import { restartScript } from '../release/restart-script.ts'
import type { BotInstance } from '../spec/instance.ts'
import { layoutOf } from '../spec/layout.ts'
import type { Limits } from '../spec/limits.ts'
import type { Release } from '../spec/release-record.ts'
import { askTelegram } from '../telegram/bot-api.ts'
import { restoreWebhook } from '../telegram/set-webhook.ts'
import type { WebhookTarget } from '../telegram/webhook-state.ts'

const functions = shellFile(new URL('renew.sh', import.meta.url))

/** A bot that serves, whose secrets are made anew. */
export interface Renewal {
  readonly instance: BotInstance
  readonly current: Release
  readonly limits: Limits
  readonly hook: WebhookTarget
  /** Names of files: `database-password`. */
  readonly names: readonly string[]
}

/**
 * Shell text: stops the bot, makes its secrets anew, has the database server, the cache and Telegram know them, and starts the bot with
 * them. Its updates wait at Telegram meanwhile: two passwords of a role are never valid at a time, and nothing is refused that counts.
 */
export function renewalScript({ instance, current, limits, hook, names }: Renewal): Script {
  const { bot } = instance
  const { secrets } = layoutOf(bot)
  const { spec } = current
  const has = (name: string) => names.includes(name)
  const nothing = sh`:`
  const setsWebhook = has('webhook-secret') && spec.mode === 'webhook' && spec.webhook !== 'bot'
  const processes = restartProcesses(instance, current, limits)
  const { text } = sh`
    ${waiting}
    ${functions}
    bot=${bot} secrets=${secrets} stopped=''
    ${has('database-password') ? sh`printf '%s\n' 'select 1' | ${psql()} >/dev/null` : nothing}
    ${
      setsWebhook
        ? sh`answer=$(${askTelegram(hook.telegram, `${secrets}/token`, 'getWebhookInfo')})
    case $answer in *'"ok":true'*) ;; *) echo 'Telegram does not answer, and must know the new secret: nothing was changed'; exit 1 ;; esac`
        : nothing
    }
    ${holdJobs(bot)}
    no_job_runs
    trap restart_stopped EXIT
    # A reboot sends TERM. Without a trap for it sh would not run the one of EXIT.
    trap 'exit 143' TERM
    for name in ${names}; do fresh "$name"; done
    stop_containers
    for name in ${names.filter((name) => name !== 'cache-password')}; do mv -fT "$secrets/$name.new" "$secrets/$name"; done
    ${
      has('database-password')
        ? sh`(${writePassFile(databaseName(bot), secrets, 'database-password')})
    ${setPassword(databaseName(bot), `${secrets}/database-password`)}`
        : nothing
    }
    ${has('cache-password') && spec.cache ? renewCache(bot, spec.cache.server) : nothing}
    sync -f "$secrets"
    ${setsWebhook ? restoreWebhook(hook, spec) : nothing}
    ${restartScript(instance, current, limits, { start: true, bind: false })}
    ${processes ?? nothing}
    trap - EXIT
    jobs_started`
  return { text, shown: `new ${names.join(', ')} of ${bot}` }
}

function renewCache(bot: string, server: string): Script {
  const { container, config } = cacheLayout(bot)
  return sh`renew_cache ${container} ${`${server}-cli`} ${`${config}/server.conf`}`
}
