import type { Commands } from '../../lib/health/finding.ts'
import { uidOf } from '../../roles/bot/spec/layout.ts'
import type { Tried } from './attempts.ts'
import type { Container } from './container-reading.ts'
import { type BotTargets, ownerOf, type Serving } from './targets.ts'
import { type Fault, judged, type Promised, skipped, type Verdict } from './verdict.ts'

/** What a bot comes by from where it is. `targets` is undefined where its container does not run. */
export function attemptVerdicts(
  bot: string,
  targets: BotTargets | undefined,
  tried: Tried,
  { playbook, onHost }: Commands,
): Verdict[] {
  const say = (id: string, promise: string): Promised => ({ id, bot, promise })
  const promises = {
    network: say('bot-network', 'reaches no other bot, process or cache'),
    host: say('bot-host', 'reaches no port of its host but those of the web'),
    metadata: say('bot-metadata', "reaches no address of clouds' credentials"),
    database: say('bot-database', 'enters no database but its own'),
  }
  if (targets === undefined)
    return Object.values(promises).map((each) => skipped(each, 'its container does not run: see status.ts'))
  const answer = tried.get(bot)
  const isLost = answer === undefined || 'untried' in answer
  const open = isLost ? [] : answer.open
  const repair = playbook('site')
  const failure = isLost
    ? `it could not be tried: ${answer === undefined ? 'the host gave no answer' : answer.untried}`
    : open.includes(targets.control)
      ? undefined
      : `it could not be tried: not even ${targets.control.replace('/', ' port ')}, where its host's web server is, was reached`
  const through = (promised: Promised, of: ReadonlyMap<string, string>, mend: string, none: string): Verdict => {
    if (failure !== undefined) return judged(promised, [{ what: failure, mend: repair }])
    if (of.size === 0) return skipped(promised, none)
    const entered = open.flatMap((target) => of.get(target) ?? [])
    return judged(promised, entered.length === 0 ? [] : [{ what: `reached ${some(entered)}`, mend }])
  }
  const firewall = playbook('site', '--tags ufw')
  const database = through(promises.database, targets.databases, repair, 'it has no database')
  const enters = targets.own === undefined || isLost || open.includes(targets.own)
  return [
    through(promises.network, targets.bots, apart(targets, onHost), 'no other bot is on its host'),
    through(promises.host, targets.host, firewall, ''),
    through(promises.metadata, targets.metadata, firewall, ''),
    database.result !== 'kept' || enters
      ? database
      : judged(promises.database, [
          { what: 'it could not be tried: its own password does not open its own database', mend: repair },
        ]),
  ]
}

/** Docker keeps its networks apart by rules of its own, which it loads when it starts. */
function apart({ foreign, place }: BotTargets, onHost: Commands['onHost']): string {
  const [network] = foreign
  return onHost(
    network === undefined
      ? 'sudo systemctl restart docker'
      : `sudo docker network disconnect ${network} ${place.container}`,
  )
}

/** What its containers may do, as the engine has been told. */
export function confinedVerdict(
  { name, number }: Serving,
  containers: readonly Container[],
  { playbook }: Commands,
): Verdict {
  const promised = { id: 'bot-confined', bot: name, promise: 'is shut in: read-only, without rights, with limits' }
  const own = containers.filter((each) => ownerOf(each) === name && each.running)
  if (own.length === 0) return skipped(promised, 'its container does not run: see status.ts')
  const uid = uidOf(number)
  const mend = `${playbook('site')} or, where that changes nothing, ${playbook('bot', `--name ${name} --rollback`)}`
  return judged(
    promised,
    own.flatMap((each) => looseness(each, uid).map((what): Fault => ({ what: `${each.name} ${what}`, mend }))),
  )
}

/** The replicas of a bot of another host: which number it has, and so which user, only that one knows. */
export function guestVerdict(bot: string, containers: readonly Container[], { playbook }: Commands): Verdict {
  const promised = { id: 'bot-confined', bot, promise: 'is shut in: read-only, without rights, with limits' }
  const own = containers.filter((each) => ownerOf(each) === bot && each.running)
  if (own.length === 0) return skipped(promised, 'the swarm runs none of its replicas here')
  const mend = playbook('bot', `--name ${bot}`)
  return judged(
    promised,
    own.flatMap((each) => {
      const [user = ''] = each.user.split(':')
      return looseness(each, isBotUser(user) ? user : undefined).map(
        (what): Fault => ({ what: `${each.name} ${what}`, mend }),
      )
    }),
  )
}

/** Bots are users from 20001 on. */
function isBotUser(user: string): boolean {
  return /^2\d{4}$/.test(user) && user !== uidOf(0)
}

function looseness(each: Container, uid: string | undefined): string[] {
  return [
    ...(each.user.split(':')[0] === uid
      ? []
      : [`runs as the user ${each.user || 'root'}, not as ${uid ?? 'that of a bot'}`]),
    ...(each.readOnly ? [] : ['is not read-only']),
    ...(each.dropped.includes('ALL') && each.added.length === 0 && !each.privileged ? [] : ['has capabilities']),
    ...(each.security.some((option) => /^no-new-privileges([:=]true)?$/.test(option)) ? [] : ['may gain privileges']),
    ...(each.memory > 0 ? [] : ['has no limit of memory']),
    ...((each.pids ?? 0) > 0 ? [] : ['has no limit of processes']),
  ]
}

/** The first ones, and how many more. */
export function some(all: readonly string[], most = 4): string {
  const unique = [...new Set(all)]
  return `${unique.slice(0, most).join(', ')}${unique.length > most ? ` and ${unique.length - most} more` : ''}`
}
