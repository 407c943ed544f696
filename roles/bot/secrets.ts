import { becomes, type Prediction, type Resource, resource } from '../../lib/model/resource.ts'
import { passFile } from '../../lib/platform/pgpass.ts'
import { attributeChanges } from '../../lib/resources/file.ts'
import { type FileState, fileState, isEmpty } from '../../lib/resources/file-state.ts'
import { generatedSecret } from '../../lib/resources/generated-secret.ts'
import { installFile } from '../../lib/shell/install-file.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { Secret } from '../../lib/std/secret.ts'
import { sha256Of } from '../../lib/std/sha256.ts'
import { storedSecrets } from './spec/stored-secrets.ts'

/** The header by which Telegram proves itself to a bot: generated on the host, and kept there. */
export function webhookSecret(folder: string, user: string, bot: string): Resource {
  return generated('webhook-secret', folder, user, bot)
}

/** The password of a bot's database role: generated on the host, and kept there. */
export function databasePassword(folder: string, user: string, bot: string): Resource {
  return generated('database-password', folder, user, bot)
}

/** The same password as `pgpass`, in the format of libpq. */
export function databasePassFile(folder: string, database: string): Resource {
  return passFile(database, folder, 'database-password')
}

/** A further secret of the operator, as the file NAME in the bot's folder of secrets. */
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
    missing: `${bot} needs the secret ${name}: set its source in the inventory, bots.${bot}.secrets.${name}`,
  })
}

interface SecretFileOptions {
  readonly id: string
  /** Shell text: exits with 1 if the new value, in the file `$candidate`, must not be used. */
  readonly check: Script
  /** The error where neither the operator nor the host has a value. */
  readonly missing: string
  /** What else changes with the value. */
  readonly whenChanged?: readonly Prediction[]
}

/**
 * A file with a secret that only its user can read. Without a given value the host keeps what it has. The plan throws a
 * `HostError` where there is neither.
 */
export function secretFile(
  path: string,
  user: string,
  given: Secret | undefined,
  { id, check, missing, whenChanged = [] }: SecretFileOptions,
): Resource {
  const wanted = { mode: '0400', owner: user, group: user }
  const sha256 = given && sha256Of(given.reveal())
  return resource({
    id,
    // The checksum, never the value: it tells two wants apart.
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
        const summary = now === 'absent' ? 'install' : 'rotate'
        return [{ summary, script: { text, shown: `write ${path}` }, predicts: [...predicts, ...whenChanged] }]
      }
      const attributes = now === 'absent' ? [] : attributeChanges(now, wanted)
      if (attributes.length === 0) return []
      const script = sh`chown ${`${user}:${user}`} ${path}; chmod 0400 ${path}`
      return [{ summary: attributes.join(', '), script, predicts }]
    },
  })
}

function generated(name: string, folder: string, user: string, bot: string): Resource {
  const whenMade = [becomes(storedSecrets(bot), (now) => ({ ...now, [name]: Number.POSITIVE_INFINITY }))]
  return generatedSecret(`${folder}/${name}`, { owner: user, whenMade })
}
