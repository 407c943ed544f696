import { refuseWhen } from '../../lib/model/combinators.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import type { Prediction, Read, Resource } from '../../lib/model/resource.ts'
import { secretFile } from '../../lib/resources/secret-file.ts'
import { sh } from '../../lib/shell/sh.ts'
import type { Secret } from '../../lib/std/secret.ts'
import { botFolders } from './spec/layout.ts'
import { askTelegram } from './telegram/bot-api.ts'

/**
 * The token of a bot. A given one replaces the host's after Telegram has accepted it; without one the host keeps what it has.
 * The plan throws a `HostError` where another bot on the host has the same token.
 */
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
    *'"error_code":401'* | *'"error_code":404'*) echo ${`Telegram rejects the token of ${bot}: check that it is complete and not revoked`}; exit 1 ;;
    *) echo 'warning: Telegram does not answer: the token was not verified' ;;
    esac`
  const inner = secretFile(`${folder}/token`, user, given, {
    id: tokenResource(bot),
    check,
    missing: `${bot} has no token: set ${tokenVariable(bot)}, write BOT_TOKEN=… into the .env of its source, or set bots.${bot}.token in the inventory`,
    whenChanged,
  })
  const shared = (read: Read) => {
    const owners = read(tokenOwners)
    const own = (given && idOf(given)) ?? owners[bot]
    const twin = Object.keys(owners).find((name) => name !== bot && owners[name] === own)
    if (own !== undefined && twin !== undefined) return sameToken(bot, `${twin}, which is already on this host,`, own)
  }
  return refuseWhen([tokenOwners], shared, inner)
}

/** The id of the resource. */
export function tokenResource(bot: string): string {
  return `token:${bot}`
}

/** The numeric id that a token begins with: the bot at Telegram that it is for. It is no secret. */
export function idOf(token: Secret): string {
  return token.reveal().split(':')[0] ?? ''
}

/** Why a bot is refused: two would take updates from each other. */
export function sameToken(bot: string, twin: string, id: string): string {
  return `${bot} and ${twin} use the same token of bot ${id}: get a separate token for each from BotFather`
}

/** By bot on a host: the id of its token. */
export const tokenOwners: Reading<Readonly<Record<string, string>>> = reading(
  {
    name: 'token-owners',
    script: () => sh`
      for file in ${botFolders.secrets}/*/token; do
        [ -e "$file" ] || continue
        folder=\${file%/*} id=
        IFS=: read -r id _ <"$file" || :
        printf '%s %s\n' "\${folder##*/}" "$id"
      done`,
    parse: oneValue((output) => {
      const owners = output.split('\n').map((line) => line.split(' ') as [string, string])
      return Object.fromEntries(owners.filter(([bot]) => bot))
    }),
  } satisfies Kind<Readonly<Record<string, string>>>,
  'bots',
)

/** Whether a text looks like what BotFather gives. */
export function isToken(text: string): boolean {
  return /^\d+:[\w-]{20,}$/.test(text)
}

/** The environment variable with the token of a bot: `HELLO_BOT_TOKEN`. */
export function tokenVariable(bot: string): string {
  return `${bot.toUpperCase().replaceAll('-', '_')}_TOKEN`
}
