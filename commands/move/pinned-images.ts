import { type Script, sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { perform } from '../../lib/ssh/perform.ts'
import { HostError } from '../../lib/std/errors.ts'
import { Secret } from '../../lib/std/secret.ts'
import { dockerConfigFolder, loginKey, registryOf } from '../../roles/bot/registry-login.ts'
import type { Image } from './images.ts'

/** Whether a digest names an image: no archive has such a name, so it is pulled from where it came. */
export function isPinned({ name }: Pick<Image, 'name'>): boolean {
  return name.includes('@sha256:')
}

/**
 * Pulls images that a digest names, with the login that the old host has where the new one has none. Throws a `HostError` where one of
 * the `needed` cannot be had; of an earlier release that is only said.
 */
export async function pullPinned(
  here: Connection,
  there: Connection,
  images: readonly Image[],
  needed: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  for (const { name } of images) {
    const login = loginIn(name, await perform(here, readLogin(name)))
    try {
      await perform(there, pullScript(name, login))
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      const message = `a digest names ${name}, so the other host pulls it, which has failed: ${error.message}`
      if (needed.includes(name)) throw new HostError(message)
      say(`${message}; an earlier release has it, and nothing else`)
    }
  }
}

export function readLogin(name: string): Script {
  const file = `${dockerConfigFolder(name)}/config.json`
  return sh`[ ! -e ${file} ] || head -c 100000 ${file}`
}

/** The login for the registry of an image, and nothing else that Docker's client could be told by such a file: it could name programs. */
export function loginIn(name: string, text: string): Secret | undefined {
  try {
    const key = loginKey(registryOf(name))
    const auth: unknown = JSON.parse(text).auths[key].auth
    return typeof auth === 'string' ? new Secret(JSON.stringify({ auths: { [key]: { auth } } })) : undefined
  } catch {
    return undefined
  }
}

/** Shell text: pulls an image. `login` is kept where the host has none for that registry. */
export function pullScript(name: string, login: Secret | undefined): Script {
  const folder = dockerConfigFolder(name)
  const keep = sh`
    [ -e ${folder}/config.json ] || {
      (umask 077; mkdir -p ${folder}; printf %s ${login ?? new Secret('')} >${folder}/config.json.new)
      mv -fT ${folder}/config.json.new ${folder}/config.json
    }`
  const { text } = sh`
    ${login === undefined ? sh`:` : keep}
    docker --config ${folder} pull --quiet ${name} >/dev/null`
  return { text, shown: `docker pull ${name}` }
}
