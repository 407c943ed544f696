import * as v from 'valibot'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { role } from '../../lib/model/role.ts'
import { pairKey } from '../../lib/platform/standby/gate.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { perform } from '../../lib/ssh/perform.ts'
import { HostError } from '../../lib/std/errors.ts'
import { Secret } from '../../lib/std/secret.ts'
import { keyResources } from '../../roles/standby/gate.ts'
import type { Stand } from './stand.ts'

/** Two halves of 64 characters: the keys of an NMAC, which the gate computes. */
const pattern = /^key ([A-Za-z0-9+/]{128})$/m

/** Has both hosts know the key of the pair: that of the first, which it makes where it has none. It passes this machine's memory alone. */
export async function shareKey(session: Session, from: Stand, to: Stand): Promise<void> {
  if (from.key !== undefined && from.key === to.key) return
  if (from.key === undefined) await brought(session, from.host, makeKey)
  const told = await session.connected(from.host, (connection) => perform(connection, readKey), { quiet: true })
  const key = pattern.exec(told)?.[1]
  if (key === undefined) throw new HostError(`${from.host.name}: ${pairKey} is not a key: rm it, and run this again`)
  if (to.key === undefined) return brought(session, to.host, storeKey(new Secret(key)))
  await session.connected(
    to.host,
    async (connection) => {
      await session.hold(to.host, connection)
      await perform(connection, storeKey(new Secret(key)))
    },
    { quiet: true },
  )
}

/** A stage of its own: what comes after it needs the key on both. */
async function brought(session: Session, host: InventoryHost, script: Script): Promise<void> {
  const code = await session.converge([host], [role('postgres', v.any(), () => keyResources(script))])
  if (code !== 0) throw new HostError(`${host.name}: was not brought the key of the pair`)
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
  }`

export const readKey: Script = sh`echo "key $(cat ${pairKey})"`

export function storeKey(key: Secret): Script {
  const { text } = sh`
    ${inPlace}
    printf %s ${key} >${pairKey}.new
    chmod 0400 ${pairKey}.new
    sync ${pairKey}.new
    mv -fT ${pairKey}.new ${pairKey}`
  return { text, shown: 'write the key of the pair' }
}
