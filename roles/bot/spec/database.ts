import { databaseName } from '../../../lib/platform/database-name.ts'
import { layoutOf } from './layout.ts'
import type { Spec } from './spec.ts'

/** Where a bot finds its database: the parts of its URL. The password is in a file of the same value in both places. */
export interface DatabaseAddress {
  /** A name in its network, or the folder of the server's socket. */
  readonly host: 'postgres' | '/run/postgresql'
  readonly port: 5432
  readonly user: string
  readonly name: string
  /** In the container of the bot. */
  readonly passwordFile: string
  /** On the host: root and the bot's user read it. 43 characters of base64url, which need no quoting in a URL. */
  readonly passwordFileOnHost: string
}

export function databaseAddress(bot: string, { tcp }: Pick<Spec, 'tcp'>): DatabaseAddress {
  const name = databaseName(bot)
  return {
    host: tcp ? 'postgres' : '/run/postgresql',
    port: 5432,
    user: name,
    name,
    passwordFile: '/run/secrets/database-password',
    passwordFileOnHost: `${layoutOf(bot).secrets}/database-password`,
  }
}
