import { lines, type Script, sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { perform } from '../../lib/ssh/perform.ts'
import { HostError } from '../../lib/std/errors.ts'
import { Secret } from '../../lib/std/secret.ts'
import { layoutOf } from '../../roles/bot/spec/layout.ts'
import type { Spec } from '../../roles/bot/spec/spec.ts'
import { hostGenerated } from '../../roles/bot/spec/stored-secrets.ts'

/** Copies the secrets of a bot: those that the host was given, and those that it has made. They pass this machine's memory alone. */
export async function copySecrets(here: Connection, there: Connection, bot: string, spec: Spec): Promise<number> {
  const names = [...(spec.mode === 'none' ? [] : ['token']), ...spec.secrets, ...hostGenerated]
  const found = secretsIn(await perform(here, readSecrets(bot, names)), names)
  const missing = [...(spec.mode === 'none' ? [] : ['token']), ...spec.secrets].filter((name) => !found.has(name))
  if (missing.length > 0)
    throw new HostError(
      `${bot} has lost its ${missing.join(', ')}: set them again: npx zx playbooks/bot.ts --name ${bot}`,
    )
  await perform(there, writeSecrets(bot, found))
  return found.size
}

export function readSecrets(bot: string, names: readonly string[]): Script {
  const { secrets } = layoutOf(bot)
  return sh`
    for name in ${names}; do
      [ ! -s ${secrets}/"$name" ] || echo "secret $name $(head -c 1000000 ${secrets}/"$name" | base64 --wrap=0)"
    done`
}

function secretsIn(told: string, names: readonly string[]): Map<string, Secret> {
  const found = [...told.matchAll(/^secret (\S+) ([A-Za-z0-9+/=]+)$/gm)]
  return new Map(
    found.filter(([, name = '']) => names.includes(name)).map(([, name = '', text = '']) => [name, new Secret(text)]),
  )
}

/** Shell text: writes the secrets, which are base64. Their owner is the bot's user once it has one. */
export function writeSecrets(bot: string, secrets: ReadonlyMap<string, Secret>): Script {
  const folder = layoutOf(bot).secrets
  const files = [...secrets].map(
    ([name, text]) => sh`
    printf %s ${text} | base64 -d >${`${folder}/.${name}.new`}
    chmod 0400 ${`${folder}/.${name}.new`}
    mv -fT ${`${folder}/.${name}.new`} ${`${folder}/${name}`}`,
  )
  const { text } = sh`
    umask 077
    mkdir -p ${folder}
    ${lines(files)}
    # They are made anew from these.
    rm -f ${folder}/pgpass ${folder}/cache/server.conf
    sync -f ${folder}`
  return { text, shown: `write the secrets of ${bot}` }
}
