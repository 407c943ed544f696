import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { HostError } from '../../lib/errors.ts'
import { local } from '../../lib/local.ts'
import type { BackupsVars } from './index.ts'

export type Offsite = NonNullable<BackupsVars['offsite']>

/** Pushes the operator's copies of a host to a repository of restic's. */
export async function pushOffsite(folder: string, host: string, offsite: Offsite): Promise<void> {
  // A bare `.*` would mean any folder above as well, and leave everything out.
  await restic(offsite, ['backup', '--quiet', ...ofHost(host), '--exclude', join(folder, '.*'), folder])
}

/** Brings a host's copies to `target`, as they were pushed last, from whichever machine and folder that was. */
export async function pullOffsite(target: string, host: string, offsite: Offsite): Promise<void> {
  const snapshots: Snapshot[] = JSON.parse(await restic(offsite, ['snapshots', '--json', ...ofHost(host)]))
  const latest = snapshots.sort((one, other) => Date.parse(other.time) - Date.parse(one.time))[0]
  const [path] = latest?.paths ?? []
  if (latest === undefined || path === undefined)
    throw new HostError(`offsite: ${offsite.restic} holds no copies of ${host}`)
  // Below its whole path: only since 0.16 a folder of a snapshot can be named.
  const whole = `${target}.whole`
  await restic(offsite, ['restore', '--quiet', latest.id, '--target', whole])
  renameSync(join(whole, path), target)
}

/** What is read of restic's own description of a snapshot. */
interface Snapshot {
  readonly id: string
  /** As of ISO 8601, with nanoseconds. */
  readonly time: string
  readonly paths: readonly string[]
}

function ofHost(host: string): readonly string[] {
  return ['--tag', 'botgarden', '--host', host]
}

/** Runs restic on this machine, with the repository and its password as the inventory has them. */
async function restic({ restic, passwordFile, passwordCommand }: Offsite, args: readonly string[]): Promise<string> {
  const env = {
    ...process.env,
    RESTIC_REPOSITORY: restic,
    ...(passwordFile !== undefined && { RESTIC_PASSWORD_FILE: passwordFile }),
    ...(passwordCommand !== undefined && { RESTIC_PASSWORD_COMMAND: passwordCommand }),
  }
  const { exitCode, stdout, stderr } = await local({
    env,
    nothrow: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })`restic ${[...args]}`
  if (exitCode === 127)
    throw new HostError('this machine: restic is missing, which offsite needs: apt-get install restic')
  // 10 since restic 0.17; before, it says so in words only.
  if (exitCode === 10 || /Is there a repository at/.test(stderr))
    throw new HostError(
      `offsite: there is no repository yet: restic --repo ${restic} init makes one, with the same password`,
    )
  if (exitCode !== 0)
    throw new HostError(
      `offsite: restic ended with exit code ${exitCode}: ${stderr.trim().split('\n').slice(-5).join('; ')}`,
    )
  return stdout
}
