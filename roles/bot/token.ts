import { mapChanges, refuseWhen } from '../../lib/model/combinators.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import type { Change, Prediction, Read, Resource } from '../../lib/model/resource.ts'
import { sh } from '../../lib/shell/sh.ts'
import type { Secret } from '../../lib/std/secret.ts'
import { secretFile } from './secrets.ts'
import { botFolders } from './spec/layout.ts'
import { askTelegram } from './telegram/bot-api.ts'

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
  const inner = secretFile(`${folder}/token`, user, given, {
    id: `token:${bot}`,
    check,
    missing: `${bot} has no token: set ${tokenVariable(bot)}, write BOT_TOKEN=… into the .env of its source, or give bots.${bot}.token in the inventory a command`,
  })
  const shared = (read: Read) => {
    const owners = read(tokenOwners)
    const own = given?.reveal().split(':')[0] ?? owners[bot]
    const twin = Object.keys(owners).find((name) => name !== bot && owners[name] === own)
    if (own !== undefined && twin !== undefined)
      return `${bot} and ${twin}, which is on this host already, have the token of one bot (${own}): each needs its own, from BotFather`
  }
  const rotates = ({ summary }: Change) => ['rotate', 'put in place'].includes(summary)
  const changed = mapChanges(inner, (change) =>
    rotates(change) ? { ...change, predicts: [...(change.predicts ?? []), ...whenChanged] } : change,
  )
  return refuseWhen([tokenOwners], shared, changed)
}

/** By bot: the number of its token, which stands before the colon and is no secret. */
const tokenOwners: Reading<Readonly<Record<string, string>>> = reading(
  {
    name: 'token-owners',
    script: () => sh`
      for file in ${botFolders.secrets}/*/token; do
        [ ! -e "$file" ] || printf '%s %s\n' "$(basename "$(dirname "$file")")" "$(cut -d : -f 1 "$file")"
      done`,
    parse: oneValue((output) => {
      const owners = output.split('\n').map((line) => line.split(' ') as [string, string])
      return Object.fromEntries(owners.filter(([bot]) => bot))
    }),
  } satisfies Kind<Readonly<Record<string, string>>>,
  'bots',
)

/** The variable that a bot's token comes from: `HELLO_BOT_TOKEN`. */
export function tokenVariable(bot: string): string {
  return `${bot.toUpperCase().replaceAll('-', '_')}_TOKEN`
}
