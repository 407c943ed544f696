import { HostError } from '../../lib/errors.ts'
import { local } from '../../lib/local.ts'
import type { BackupsVars } from './index.ts'

export type Offsite = NonNullable<BackupsVars['offsite']>

/** Pushes the operator's copies of a host to a repository of restic's. */
export async function pushOffsite(folder: string, host: string, offsite: Offsite): Promise<void> {
  const tags = ['--tag', 'botgarden', '--host', host]
  await restic(offsite, ['backup', '--quiet', ...tags, '--exclude', '.*', folder])
}

/** Runs restic on this machine, with the repository and its password as the inventory has them. */
export async function restic(
  { restic, passwordFile, passwordCommand }: Offsite,
  args: readonly string[],
): Promise<string> {
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
