import { existsSync, realpathSync, renameSync } from 'node:fs'
import { join, resolve } from 'node:path'
import * as v from 'valibot'
import { local } from '../../lib/shell/local.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { BackupsVars } from '../../roles/backups/schema.ts'

export type Offsite = NonNullable<BackupsVars['offsite']>

/** Pushes the operator's copies of a host to a restic repository. Throws a `HostError`. */
export async function pushOffsite(folder: string, host: string, offsite: Offsite): Promise<void> {
  // A bare `.*` would also match a folder above, and exclude everything.
  await restic(offsite, [
    'backup',
    '--quiet',
    ...ofHost(host),
    '--exclude',
    join(folder, '.*'),
    '--exclude',
    join(folder, 'allowed_signers*'),
    folder,
  ])
}

/** Restores the last snapshot of a host's copies to `target`. Throws a `HostError` where there is none. */
export async function pullOffsite(target: string, host: string, offsite: Offsite): Promise<void> {
  const snapshots = parsed(await restic(offsite, ['snapshots', '--json', ...ofHost(host)]))
  const latest = snapshots.sort((one, other) => Date.parse(other.time) - Date.parse(one.time))[0]
  const [path] = latest?.paths ?? []
  if (latest === undefined || path === undefined)
    throw new HostError(`offsite: ${offsite.restic} holds no copies of ${host}`)
  // restic before 0.16 restores a folder only below its whole path.
  const whole = `${target}.whole`
  await restic(offsite, ['restore', '--quiet', latest.id, '--target', whole])
  // The path comes from the repository, which others may write to: it must not lead elsewhere by links.
  const folder = join(whole, resolve('/', path))
  if (!existsSync(folder) || realpathSync(folder) !== join(realpathSync(whole), resolve('/', path)))
    throw new HostError(`offsite: the newest snapshot of ${host} (${latest.id}) holds no folder ${path}`)
  renameSync(folder, target)
}

/** A snapshot as `restic snapshots --json` prints it. */
const snapshotsSchema = v.array(
  v.object({
    id: v.pipe(v.string(), v.regex(/^[0-9a-f]+$/)),
    /** As of ISO 8601, with nanoseconds. */
    time: v.string(),
    paths: v.array(v.string()),
  }),
)

function parsed(output: string): v.InferOutput<typeof snapshotsSchema> {
  try {
    return v.parse(snapshotsSchema, JSON.parse(output))
  } catch (error) {
    throw new HostError(`offsite: the snapshot list of restic cannot be parsed: ${(error as Error).message}`, {
      cause: error,
    })
  }
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
  // Exit code 10 since restic 0.17; older ones say it only in words.
  if (exitCode === 10 || /Is there a repository at/.test(stderr))
    throw new HostError(
      `offsite: there is no repository yet: create it with the same password: restic --repo ${restic} init`,
    )
  if (exitCode !== 0)
    throw new HostError(
      `offsite: restic ended with exit code ${exitCode}: ${stderr.trim().split('\n').slice(-5).join('; ')}`,
    )
  return stdout
}
