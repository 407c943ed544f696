import type { Flags } from '../../lib/cli/flags.ts'
import { knownBots } from '../../lib/cli/named-bots.ts'
import type { Session } from '../../lib/cli/session.ts'
import { paintFor } from '../../lib/std/colour.ts'
import { UsageError } from '../../lib/std/errors.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import { streams, writeOut } from '../../lib/std/output.ts'
import { suggest } from '../../lib/std/suggest.ts'
import { alertProof } from '../../roles/watch/proof.ts'
import type { WatchVars } from '../../roles/watch/schema.ts'
import { identitiesIn } from '../restore/decrypt.ts'
import type { ProveAlert } from './alert-promise.ts'
import { examine, type HostVerdicts } from './host-doctor.ts'
import { doctorText } from './text.ts'

export const doctorFlags: Flags = {
  name: { value: 'BOT', help: 'only the promises to this bot, and nothing of its host' },
  'all-ports': { help: 'try all 65535 ports from outside, and not the known ones and those that listen' },
  identity: {
    value: 'FILE',
    help: 'the secret key of the backups: the newest copy is restored into a temporary server',
  },
}

/** The command doctor.ts. Returns the exit code: 3 where a promise is broken, 4 where only a host was not reached. */
export async function doctor(session: Session, proveAlert: ProveAlert = alertsOf): Promise<number> {
  const { own, json, forks } = session.options
  refuseUnused(session)
  const [bot] = own.get('name') ?? []
  const [file] = own.get('identity') ?? []
  for (const flag of ['all-ports', 'identity'])
    if (bot !== undefined && own.has(flag)) throw new UsageError(`--name and --${flag} cannot be combined`)
  const hosts = bot === undefined ? session.hosts : [hostOf(session, bot)]
  const wanted = {
    ...{ bot, proveAlert, allPorts: own.has('all-ports') },
    identities: file === undefined ? [] : await identitiesIn(file),
  }
  const all = await mapConcurrent(Math.min(forks, 8), hosts, (host) => examine(session, host, wanted))
  session.report.close()
  writeOut(json ? JSON.stringify(doctorJson(all)) : doctorText(all, paintFor(streams.out, process.env)))
  return [3, 4].find((code) => all.some(({ exitCode }) => exitCode === code)) ?? 0
}

const alertsOf: ProveAlert = ({ vars }) => alertProof(vars.watch as WatchVars)

function hostOf(session: Session, bot: string) {
  const found = session.hosts.find(({ bots }) => bots.some(({ name }) => name === bot))
  if (found !== undefined) return found
  throw new UsageError(`--name ${bot}: no selected host has that bot${suggest(bot, knownBots(session))}`)
}

/** Throws a `UsageError` for options that mean nothing here. */
function refuseUnused({ options }: Session): void {
  const { check, diff, showSecrets } = options
  const [unused] = Object.entries({ check, diff, 'show-secrets': showSecrets }).find(([, isGiven]) => isGiven) ?? []
  if (unused !== undefined)
    throw new UsageError(`doctor.ts has no --${unused}: it changes nothing, and shows no secret`)
}

function doctorJson(all: readonly HostVerdicts[]): Record<string, unknown> {
  const hosts = all.map(({ host, exitCode, verdicts, ...rest }) => [
    host,
    { status: exitCode === 0 ? 'ok' : exitCode === 4 ? 'unreachable' : 'broken', promises: verdicts, ...rest },
  ])
  return { playbook: 'doctor', at: new Date().toISOString(), hosts: Object.fromEntries(hosts) }
}
