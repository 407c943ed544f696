import { etcDir } from '../../lib/model/host-layout.ts'
import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { directory } from '../../lib/resources/file.ts'
import { fileState } from '../../lib/resources/file-state.ts'
import { installFile } from '../../lib/shell/install-file.ts'
import { sh } from '../../lib/shell/sh.ts'
import { Secret } from '../../lib/std/secret.ts'
import { sha256Of } from '../../lib/std/sha256.ts'
import type { RegistryLogin } from './spec/deployment.ts'

/** The configuration folder of Docker's client with the login of one registry. Only pulls use it. */
function folderOf(registry: string): string {
  return `${etcDir}/registry/${registry.replace(/[^\w.-]/g, '_')}`
}

/** The folder for the registry of an image. It may not exist: then no login is used. */
export function dockerConfigFolder(image: string): string {
  return folderOf(registryOf(image))
}

/** The host name of the registry that an image is pulled from, as `bot.registries` names it. */
export function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/')
  return rest.length > 0 && /[.:]|^localhost$/.test(first) ? first : 'docker.io'
}

/** Where a login for the registry of an image is in the configuration of Docker's client. */
export function loginKey(registry: string): string {
  return registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry
}

/** The given logins, as files on the host. Logins that are not given are left alone. */
export function registryLogins(logins: readonly RegistryLogin[]): Resource[] {
  if (logins.length === 0) return []
  return [directory(`${etcDir}/registry`, { mode: '0700' }), ...logins.flatMap(registryLogin)]
}

function registryLogin({ registry, username, password }: RegistryLogin): Resource[] {
  const path = `${folderOf(registry)}/config.json`
  const auth = Buffer.from(`${username}:${password.reveal()}`).toString('base64')
  const content = new Secret(JSON.stringify({ auths: { [loginKey(registry)]: { auth } } }))
  const sha256 = sha256Of(content.reveal())
  const now = fileState(path)
  return [
    directory(folderOf(registry), { mode: '0700' }),
    resource({
      id: `registry:${registry}`,
      wants: sha256,
      reads: { now },
      plan: ({ now: state }) => {
        if (state !== 'absent' && state.sha256 === sha256 && state.mode === '0600') return []
        const write = sh`printf %s ${content} >"$candidate"`
        const { text } = installFile(path, { owner: 'root:root', mode: '0600', write })
        const after = { type: 'file', mode: '0600', owner: 'root', group: 'root', sha256 }
        return [{ summary: 'log in', script: { text, shown: `write ${path}` }, predicts: [becomes(now, after)] }]
      },
    }),
  ]
}
