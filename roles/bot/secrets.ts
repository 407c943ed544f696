import { becomes, type Resource } from '../../lib/model/resource.ts'
import { passFile } from '../../lib/platform/pgpass.ts'
import { command } from '../../lib/resources/command.ts'
import { generatedSecret } from '../../lib/resources/generated-secret.ts'
import { secretFile } from '../../lib/resources/secret-file.ts'
import { installFile } from '../../lib/shell/install-file.ts'
import { sh } from '../../lib/shell/sh.ts'
import type { Secret } from '../../lib/std/secret.ts'
import { externalPassFile } from './spec/database.ts'
import { externalPassword } from './spec/keys/external-database.ts'
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

/** The password of a database that somebody else keeps, in the format of libpq, whatever its characters are. */
export function externalDatabasePassFile(folder: string, bot: string): Resource {
  const [source, file] = [`${folder}/${externalPassword}`, `${folder}/${externalPassFile}`]
  const line = sh`{ printf '*:*:*:*:' && sed 's/[\\:]/\\&/g' ${source} && echo; }`
  return command(`external-pgpass-${bot}`, {
    summary: `write ${file}`,
    unless: sh`
      wanted=$(${line})
      [ "$wanted" = "$(cat ${file})" ] && [ "$(stat -c '%u %a' ${file})" = "$(stat -c '%u %a' ${source})" ]`,
    script: installFile(file, { owner: sh`--reference ${source}`, mode: '0400', write: sh`${line} >"$candidate"` }),
  })
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
    missing:
      name === externalPassword
        ? `${bot} needs the password of its database: set its source in the inventory, bots.${bot}.database.external.password`
        : `${bot} needs the secret ${name}: set its source in the inventory, bots.${bot}.secrets.${name}`,
  })
}

function generated(name: string, folder: string, user: string, bot: string): Resource {
  const whenMade = [becomes(storedSecrets(bot), (now) => ({ ...now, [name]: Number.POSITIVE_INFINITY }))]
  return generatedSecret(`${folder}/${name}`, { owner: user, whenMade })
}
