import type { Flags } from '../../lib/cli/flags.ts'
import type { Session } from '../../lib/cli/session.ts'
import { UsageError } from '../../lib/std/errors.ts'
import type { Verify } from './host-by-host.ts'
import { updatePackages } from './packages/index.ts'
import { forgetOld, updatePostgres } from './postgres/index.ts'
import { rotate } from './rotate/index.ts'

export const updateFlags = {
  reboot: { help: 'after packages: reboot a host that needs it, and wait until it is back' },
  postgres: { help: 'move the data to the major version of PostgreSQL that the inventory asks for' },
  back: { help: 'with --postgres: go back to the version that was kept, without what was written since' },
  'forget-old': { help: 'with --postgres: remove what is kept of the version before' },
  rotate: {
    help: 'make every secret anew that the host has made: passwords of databases and caches, secrets of webhooks',
  },
  yes: { help: 'do not ask before something is lost' },
} as const satisfies Flags

/** The command update.ts: packages, unless another thing is named. Returns the exit code; throws a `UsageError`. */
export async function update(session: Session, verify: Verify): Promise<number> {
  const { own } = session.options
  const given = (name: keyof typeof updateFlags) => own.has(name)
  const refuse = (flag: keyof typeof updateFlags, why: string) => {
    if (given(flag)) throw new UsageError(`--${flag} ${why}`)
  }
  if (!given('postgres')) for (const flag of ['back', 'forget-old'] as const) refuse(flag, 'needs --postgres')
  if (given('postgres')) refuse('rotate', 'and --postgres cannot be combined')
  if (given('back')) refuse('forget-old', 'and --back cannot be combined')
  if (given('postgres') || given('rotate')) refuse('reboot', 'goes with packages alone')
  if (given('rotate')) return rotate(session, verify)
  if (given('forget-old')) return forgetOld(session)
  if (given('postgres')) return updatePostgres(session, verify, given('back') ? 'back' : 'forward')
  return updatePackages(session, verify, given('reboot'))
}
