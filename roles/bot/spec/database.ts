import { databaseName } from '../../../lib/platform/database-name.ts'
import { externalPassword } from './keys/external-database.ts'
import { layoutOf } from './layout.ts'
import type { Spec } from './spec.ts'

/** Where a bot finds its database: the parts of its URL. The password is in a file of the same value in both places. */
export interface DatabaseAddress {
  /** A name in its network, the folder of the server's socket, or the server of somebody else. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly name: string
  /** In the container of the bot. */
  readonly passwordFile: string
  /** On the host: root and the bot's user read it. 43 characters of base64url, which need no quoting in a URL, but for an external one. */
  readonly passwordFileOnHost: string
  /** In the container of the bot: the password in the format of libpq. */
  readonly passFile: string
}

export function databaseAddress(bot: string, { tcp, external }: Pick<Spec, 'tcp' | 'external'>): DatabaseAddress {
  const name = databaseName(bot)
  const own = { host: tcp ? 'postgres' : '/run/postgresql', port: 5432, user: name, name }
  const [password, passFile] = external ? [externalPassword, externalPassFile] : ['database-password', 'pgpass']
  return {
    ...(external ?? own),
    passwordFile: `/run/secrets/${password}`,
    passwordFileOnHost: `${layoutOf(bot).secrets}/${password}`,
    passFile: `/run/secrets/${passFile}`,
  }
}

/** Beside that of the host's own server, which a version before may still use. */
export const externalPassFile = 'external-pgpass'
