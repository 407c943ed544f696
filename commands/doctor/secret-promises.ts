import type { Commands } from '../../lib/health/finding.ts'
import { quote } from '../../lib/shell/sh.ts'
import { layoutOf, uidOf } from '../../roles/bot/spec/layout.ts'
import { referencesIn, secretNameOf } from '../../roles/bot/spec/references.ts'
import type { Release } from '../../roles/bot/spec/release-record.ts'
import type { Leak, SecretSearch, Where } from './secret-reading.ts'
import type { Serving } from './targets.ts'
import { judged, type Promised, type Verdict } from './verdict.ts'

/** No secret is where it does not belong. A bot that asks for one as a variable has it in the environment of its containers. */
export function secretVerdicts(
  search: SecretSearch | undefined,
  serving: readonly Serving[],
  commands: Commands,
): Verdict[] {
  const promises: readonly (readonly [Promised, readonly Where[]])[] = [
    [{ id: 'secrets-arguments', promise: 'no secret is in an argument of a process' }, ['cmdline']],
    [
      { id: 'secrets-environment', promise: 'no secret is in an environment that has not asked for it' },
      ['environ', 'inspect'],
    ],
    [{ id: 'secrets-logs', promise: 'no secret is in a log of the last day' }, ['log']],
  ]
  return promises.map(([promised, places]) => {
    const missed = places.filter((where) => !search?.searched.includes(where))
    if (missed.length > 0)
      return judged(promised, [
        { what: 'it could not be tried: the search did not end', mend: commands.playbook('site') },
      ])
    const leaks = (search?.leaks ?? []).filter(({ where }) => places.includes(where))
    return judged(
      promised,
      leaks
        .filter((leak) => !isAskedFor(leak, serving))
        .map((leak) => ({ what: `${leak.secret} is in ${placeOf(leak)}`, mend: mendOf(leak, commands) })),
    )
  })
}

function placeOf({ where, place }: Leak): string {
  if (where === 'inspect') return `what Docker keeps of the container ${place}`
  if (where === 'log') return place
  const [, uid = '', name = ''] = /^(\d+) (.*)$/.exec(place) ?? []
  return `the ${where === 'cmdline' ? 'arguments' : 'environment'} of the process ${name}, of the user ${uid}`
}

function isAskedFor({ where, secret, place }: Leak, serving: readonly Serving[]): boolean {
  const [, owner, name = ''] = /^bots\/([^/]+)\/(.+)$/.exec(secret) ?? []
  const bot = serving.find((each) => each.name === owner)
  if (bot === undefined) return false
  // What a bot makes of the files that it reads is its own, as long as nobody else has it.
  if (where === 'environ') return place.startsWith(`${uidOf(bot.number)} `)
  const container = layoutOf(bot.name).network
  // Its replicas are tasks of the swarm: `botgarden-NAME_bot.1.ID`.
  const isOwn = place === container || ['-', '.', '_bot.'].some((next) => place.startsWith(`${container}${next}`))
  return where === 'inspect' && isOwn && asked(bot.release).includes(name)
}

/** The files of the secrets that the variables of a release refer to. */
function asked({ spec: { references = {} } }: Release): string[] {
  const files: Readonly<Record<string, string>> = {
    token: 'token',
    'database.url': 'database-password',
    'database.password': 'database-password',
    'cache.url': 'cache-password',
    'cache.password': 'cache-password',
    'webhook.secret': 'webhook-secret',
  }
  return Object.values(references)
    .flatMap(referencesIn)
    .flatMap((name) => secretNameOf(name) ?? files[name] ?? [])
}

/** A secret that was seen has to be replaced; before that, what shows it has to go. */
function mendOf({ where, secret, place }: Leak, { playbook, onHost }: Commands): string {
  const [, bot, name] = /^bots\/([^/]+)\/(.+)$/.exec(secret) ?? []
  if (where === 'inspect' && (bot === undefined || !place.startsWith(layoutOf(bot).network)))
    return onHost(`sudo docker rm -f ${quote(place)}`)
  if (where === 'cmdline' || where === 'environ')
    return onHost(`ps -eo user,pid,lstart,comm | grep ${quote(place.replace(/^\d+ /, ''))}`)
  if (bot === undefined) return playbook('site')
  // What the host has made itself it makes anew, where the file is gone.
  const isGiven = name === 'token' || /^[A-Z]/.test(name ?? '')
  return isGiven
    ? playbook('bot', `--name ${quote(bot)}`)
    : `${onHost(`sudo rm /etc/botgarden/secrets/${secret}`)} && ${playbook('bot', `--name ${quote(bot)}`)}`
}
