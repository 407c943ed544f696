import { type Session, targetOf } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { standbyPassword } from '../../lib/platform/standby/names.ts'
import { sh } from '../../lib/shell/sh.ts'
import { relay } from '../../lib/ssh/relay.ts'
import { broughtSecrets } from '../../roles/postgres/replication/follower.ts'
import { serverSecrets } from '../../roles/postgres/server.ts'

/** Brings the passwords of the primary's server to its standby, through the memory of this machine, by stdin alone. */
export async function handOverSecrets(session: Session, from: InventoryHost, to: InventoryHost): Promise<void> {
  await relay(
    { target: targetOf(session, from), relayed: sendSecrets },
    { target: targetOf(session, to), relayed: takeSecrets },
  )
}

/** Shell text: a function `relayed` that prints both, a line each. */
export const sendSecrets = sh`
  relayed() {
    for each in ${`${serverSecrets}/superuser`} ${standbyPassword}; do
      [ -s "$each" ] || { echo "$each: no password: run site.ts for this host" >&2; return 1; }
      base64 --wrap=0 <"$each"
      echo
    done
  }`

/** Shell text: a function `relayed` that keeps them until the run takes them. */
export const takeSecrets = sh`
  relayed() {
    umask 077
    rm -rf ${broughtSecrets}
    mkdir -p ${broughtSecrets}
    for each in superuser password; do
      IFS= read -r line && [ -n "$line" ] || return 1
      printf %s "$line" | base64 -d >${broughtSecrets}/"$each"
    done
  }`
