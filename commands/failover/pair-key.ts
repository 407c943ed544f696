import type { Session } from '../../lib/cli/session.ts'
import { pairKey } from '../../lib/platform/standby/gate.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import { Secret } from '../../lib/std/secret.ts'
import { perform } from '../move/perform.ts'
import type { Stand } from './stand.ts'

/** Two halves of 64 characters: the keys of an NMAC, which the gate computes. */
const pattern = /^key ([A-Za-z0-9+/]{128})$/m

/** Has both hosts know the key of the pair: that of the first, which it makes where it has none. It passes this machine's memory alone. */
export async function shareKey(session: Session, from: Stand, to: Stand): Promise<void> {
  if (from.key !== undefined && from.key === to.key) return
  const key = await session.connected(
    from.host,
    async (connection) => {
      await session.hold(from.host, connection)
      return pattern.exec(await perform(connection, makeKey))?.[1]
    },
    { quiet: true },
  )
  if (key === undefined) throw new HostError(`${from.host.name}: ${pairKey} is not a key: rm it, and run this again`)
  await session.connected(
    to.host,
    async (connection) => {
      await session.hold(to.host, connection)
      await perform(connection, storeKey(new Secret(key)))
    },
    { quiet: true },
  )
}

const inPlace = sh`
  umask 077
  mkdir -p /etc/botgarden/secrets`

export const makeKey: Script = sh`
  ${inPlace}
  [ -s ${pairKey} ] || {
    head -c 96 /dev/urandom | base64 --wrap=0 >${pairKey}.new
    chmod 0400 ${pairKey}.new
    sync ${pairKey}.new
    mv -fT ${pairKey}.new ${pairKey}
  }
  echo "key $(cat ${pairKey})"`

export function storeKey(key: Secret): Script {
  const { text } = sh`
    ${inPlace}
    printf %s ${key} >${pairKey}.new
    chmod 0400 ${pairKey}.new
    sync ${pairKey}.new
    mv -fT ${pairKey}.new ${pairKey}`
  return { text, shown: 'write the key of the pair' }
}
