import { createHash } from 'node:crypto'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { becomes, type Change, type Prediction, type Resource, resource } from '../../lib/model/resource.ts'
import { passFile } from '../../lib/platform/pgpass.ts'
import { attributeChanges } from '../../lib/resources/file.ts'
import { type FileState, fileState, isEmpty } from '../../lib/resources/file-state.ts'
import { generatedSecret } from '../../lib/resources/generated-secret.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { Secret } from '../../lib/std/secret.ts'
import { keptSecrets } from './spec/stored-secrets.ts'
import { askTelegram } from './telegram/bot-api.ts'

/** What the host makes for a bot and keeps: the header that Telegram proves itself with, and the way into the database. */
export function madeHere(folder: string, user: string, bot: string, database: string | undefined): Resource[] {
  const made = (name: string) => {
    const whenMade = [becomes(keptSecrets(bot), (now) => ({ ...now, [name]: Number.POSITIVE_INFINITY }))]
    return generatedSecret(`${folder}/${name}`, { owner: user, whenMade })
  }
  if (database === undefined) return [made('webhook-secret')]
  return [made('webhook-secret'), made('database-password'), passFile(database, folder, 'database-password')]
}

/** The bot's token: given, it is proved by Telegram before it takes the old one's place; not given, the host's is kept. */
export function token(
  folder: string,
  user: string,
  given: Secret | undefined,
  api: string,
  bot: string,
  whenChanged: readonly Prediction[],
): Resource {
  const check = sh`
    answer=$(${askTelegram(api, '"$candidate"', 'getMe')})
    case $answer in
    *'"ok":true'*) ;;
    *'"error_code":401'* | *'"error_code":404'*) echo ${`Telegram refuses the token of ${bot}: is it whole, and not revoked?`}; exit 1 ;;
    *) echo 'warning: Telegram does not answer, so nobody knows whether the token is good' ;;
    esac`
  const inner = kept(`${folder}/token`, user, given, {
    id: `token:${bot}`,
    check,
    missing: `${bot} has no token: set ${tokenVariable(bot)}, write BOT_TOKEN=… into the .env of its source, or give bots.${bot}.token in the inventory a command`,
  })
  return {
    ...inner,
    reads: [...inner.reads, tokenOwners],
    plan: (read) => {
      const owners = read(tokenOwners)
      const own = given?.reveal().split(':')[0] ?? owners[bot]
      const twin = Object.keys(owners).find((name) => name !== bot && owners[name] === own)
      if (own !== undefined && twin !== undefined)
        throw new HostError(
          `${bot} and ${twin}, which is on this host already, have the token of one bot (${own}): each needs its own, from BotFather`,
        )
      const rotates = ({ summary }: Change) => ['rotate', 'put in place'].includes(summary)
      return inner
        .plan(read)
        .map((change) =>
          rotates(change) ? { ...change, predicts: [...(change.predicts ?? []), ...whenChanged] } : change,
        )
    },
  }
}

/** By bot: the number of its token, which stands before the colon and is no secret. */
const tokenOwners: Reading<Readonly<Record<string, string>>> = reading(
  {
    name: 'token-owners',
    script: () => sh`
      for file in /etc/botgarden/secrets/bots/*/token; do
        [ ! -e "$file" ] || printf '%s %s\n' "$(basename "$(dirname "$file")")" "$(cut -d : -f 1 "$file")"
      done`,
    parse: (output, names) => {
      const owners = output.split('\n').map((line) => line.split(' ') as [string, string])
      return new Map(names.map((name) => [name, Object.fromEntries(owners.filter(([bot]) => bot))]))
    },
  } satisfies Kind<Readonly<Record<string, string>>>,
  'bots',
)

/** A further secret of the operator's. */
export function ownSecret(
  folder: string,
  user: string,
  bot: string,
  name: string,
  given: Secret | undefined,
): Resource {
  return kept(`${folder}/${name}`, user, given, {
    id: `secret:${bot}/${name}`,
    check: sh`:`,
    missing: `${bot} needs the secret ${name}: say in the inventory where it comes from, bots.${bot}.secrets.${name}`,
  })
}

/** The variable that a bot's token comes from: `HELLO_BOT_TOKEN`. */
export function tokenVariable(bot: string): string {
  return `${bot.toUpperCase().replaceAll('-', '_')}_TOKEN`
}

function kept(
  path: string,
  user: string,
  given: Secret | undefined,
  { id, check, missing }: { id: string; check: Script; missing: string },
): Resource {
  const wanted = { mode: '0400', owner: user, group: user }
  const sha256 = given && createHash('sha256').update(given.reveal()).digest('hex')
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
        const candidate = `${path}.new`
        const { text } = sh`
          candidate=${candidate}
          trap 'rm -f "$candidate"' EXIT
          (umask 077; printf %s ${given} >"$candidate")
          ${check}
          chown ${`${user}:${user}`} "$candidate"
          chmod 0400 "$candidate"
          sync "$candidate"
          mv -fT "$candidate" ${path}`
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
