import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { passFile } from '../../lib/platform/pgpass.ts'
import { attributeChanges } from '../../lib/resources/file.ts'
import { type FileState, fileState, isEmpty } from '../../lib/resources/file-state.ts'
import { generatedSecret } from '../../lib/resources/generated-secret.ts'
import { installFile } from '../../lib/shell/install-file.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { Secret } from '../../lib/std/secret.ts'
import { sha256Of } from '../../lib/std/sha256.ts'
import { keptSecrets } from './spec/stored-secrets.ts'

/** What the host makes for a bot and keeps: the header that Telegram proves itself with, and the way into the database. */
export function generatedSecrets(folder: string, user: string, bot: string, database: string | undefined): Resource[] {
  const made = (name: string) => {
    const whenMade = [becomes(keptSecrets(bot), (now) => ({ ...now, [name]: Number.POSITIVE_INFINITY }))]
    return generatedSecret(`${folder}/${name}`, { owner: user, whenMade })
  }
  if (database === undefined) return [made('webhook-secret')]
  return [made('webhook-secret'), made('database-password'), passFile(database, folder, 'database-password')]
}

/** A further secret of the operator's. */
export function operatorSecret(
  folder: string,
  user: string,
  bot: string,
  name: string,
  given: Secret | undefined,
): Resource {
  return secretFile(`${folder}/${name}`, user, given, {
    id: `secret:${bot}/${name}`,
    check: sh`:`,
    missing: `${bot} needs the secret ${name}: say in the inventory where it comes from, bots.${bot}.secrets.${name}`,
  })
}

export function secretFile(
  path: string,
  user: string,
  given: Secret | undefined,
  { id, check, missing }: { id: string; check: Script; missing: string },
): Resource {
  const wanted = { mode: '0400', owner: user, group: user }
  const sha256 = given && sha256Of(given.reveal())
  return resource({
    id,
    // Never the value: two wants are told apart by its checksum.
    wants: { path, sha256 },
    reads: { now: fileState(path) },
    plan: ({ now }) => {
      if ((now === 'absent' || isEmpty(now)) && given === undefined) throw new HostError(missing)
      const after: FileState = {
        type: 'file',
        ...wanted,
        ...(now !== 'absent' && now),
        ...(sha256 && { sha256 }),
        mode: '0400',
        owner: user,
        group: user,
      }
      const predicts = [becomes(fileState(path), after)]
      if (given !== undefined && (now === 'absent' || now.sha256 !== sha256)) {
        const write = sh`printf %s ${given} >"$candidate"`
        const { text } = installFile(path, { owner: `${user}:${user}`, mode: '0400', write, check })
        return [
          { summary: now === 'absent' ? 'put in place' : 'rotate', script: { text, shown: `write ${path}` }, predicts },
        ]
      }
      const attributes = now === 'absent' ? [] : attributeChanges(now, wanted)
      if (attributes.length === 0) return []
      return [
        {
          summary: attributes.join(', '),
          script: sh`chown ${`${user}:${user}`} ${path}; chmod 0400 ${path}`,
          predicts,
        },
      ]
    },
  })
}
