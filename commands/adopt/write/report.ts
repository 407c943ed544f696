import { oneLine } from '../../../lib/std/output.ts'
import type { Note } from '../read/finding.ts'

export interface Outcome {
  readonly bot: string
  /** Where the source is, from this checkout. */
  readonly source: string
  /** Files that were written, from the source. */
  readonly written: readonly string[]
  readonly notes: readonly Note[]
  /** Names of secrets that the operator gives. */
  readonly secrets: readonly string[]
  /** Names of its own, which are for the inventory. */
  readonly domains: readonly string[]
  readonly cloned: boolean
  readonly hasEnv: boolean
}

/** What an operator reads after an adoption. */
export function reportOf({ bot, source, written, notes, secrets, domains, cloned, hasEnv }: Outcome): string {
  const list = [...new Set(notes)].map((note) => `  - ${oneLine(note)}`)
  const found = list.length === 0 ? 'Everything that was found is mapped.' : 'Not mapped, or to be looked at:'
  const token = `${bot.replaceAll('-', '_').toUpperCase()}_TOKEN`
  return `${source} is a bot now: ${written.join(', ')} ${written.length === 1 ? 'is' : 'are'} new there. Nothing of it was run.

${[found, ...list].join('\n')}

What is left:

1. read ${source}/bot.yaml: each line says what it was made from

2. in the inventory, under "bots:"
     ${bot}: { host: vps1, source: ${source}${domains.length === 0 ? '' : `, domains: [${domains.join(', ')}]`} }

3. its token, from BotFather${hasEnv ? `, unless ${source}/.env has it` : ''}, in one of these
     the environment  ${token}=123456:ABC-def
     the inventory    token: { command: pass show ${bot} }
${secretLines(bot, source, secrets)}
4. npx zx playbooks/bot.ts --name ${bot} --check
   npx zx playbooks/bot.ts --name ${bot}

To update it: git -C ${source} pull, then bot.ts again.${cloned ? ` The clone is yours: keep bots/${bot} out of this checkout's git.` : ''}
`
}

function secretLines(bot: string, source: string, secrets: readonly string[]): string {
  if (secrets.length === 0) return ''
  const lines = secrets.map((name) => `       ${name}: { command: pass show ${bot}/${name} }`)
  return `   and what only you know, in ${source}/.env as NAME=value, or in the inventory
     secrets:
${lines.join('\n')}
`
}
