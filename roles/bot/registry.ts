import { createHash } from 'node:crypto'
import { directory } from '../../lib/file.ts'
import { fileState } from '../../lib/file-state.ts'
import { becomes, type Resource, resource } from '../../lib/resource.ts'
import { Secret } from '../../lib/secret.ts'
import { sh } from '../../lib/sh.ts'

/** A login of Docker's client, which only pulls use: no other user and no other command has it. */
export const registryConfig = '/etc/botgarden/registry'

export interface Login {
  readonly registry: string
  readonly username: string
  readonly password: Secret
}

/** The logins that were given now; where none was, those that the host has stay. */
export function registryLogins(logins: readonly Login[]): Resource[] {
  if (logins.length === 0) return []
  const path = `${registryConfig}/config.json`
  const auths = Object.fromEntries(
    logins.map(({ registry, username, password }) => [
      registry,
      { auth: Buffer.from(`${username}:${password.reveal()}`).toString('base64') },
    ]),
  )
  const content = new Secret(JSON.stringify({ auths }))
  const sha256 = createHash('sha256').update(content.reveal()).digest('hex')
  const now = fileState(path)
  return [
    directory(registryConfig, { mode: '0700' }),
    resource({
      id: 'registry:logins',
      wants: sha256,
      reads: { now },
      plan: ({ now: state }) => {
        if (state !== 'absent' && state.sha256 === sha256 && state.mode === '0600') return []
        const { text } = sh`
          (umask 077; printf %s ${content} >${`${path}.new`})
          mv -fT ${`${path}.new`} ${path}`
        const after = { type: 'file', mode: '0600', owner: 'root', group: 'root', sha256 }
        const summary = logins.map(({ registry }) => registry).join(', ')
        return [{ summary, script: { text, shown: `write ${path}` }, predicts: [becomes(now, after)] }]
      },
    }),
  ]
}
