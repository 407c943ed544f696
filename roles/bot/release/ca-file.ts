import { type Resource, resource } from '../../../lib/model/resource.ts'
import { mount } from '../../../lib/resources/compose.ts'
import { fileState } from '../../../lib/resources/file-state.ts'
import { HostError } from '../../../lib/std/errors.ts'

const target = '/run/ca-certificates.crt'

/** Where programs look for the certificates that they trust: Node beside its own, OpenSSL (Python, Ruby) and requests instead. */
const variables = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE']

/** What a container gets of the authorities that its host trusts; nothing where no file of them is named. */
export function caSettings(file: string | undefined) {
  if (file === undefined) return { file: undefined, volumes: [], environment: {} }
  return {
    file: target,
    volumes: [mount(file, target)],
    environment: Object.fromEntries(variables.map((name) => [name, target])),
  }
}

/** Plans nothing. Throws a `HostError` where the file is missing, or bots could not read it. */
export function caFilePresent(path: string): Resource {
  return resource({
    id: `ca-file:${path}`,
    wants: path,
    reads: { file: fileState(path) },
    plan: ({ file }) => {
      if (file === 'absent')
        throw new HostError(`bot.caFile: this host has no file ${path}; put it there, or leave the key out`)
      if (file.type === 'directory') throw new HostError(`bot.caFile: ${path} is a directory on this host, not a file`)
      if (file.type === 'file' && (Number(file.mode.at(-1)) & 4) === 0)
        throw new HostError(`bot.caFile: bots cannot read ${path}; run on this host: chmod a+r ${path}`)
      return []
    },
  })
}
