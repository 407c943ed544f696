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
  readonly cloned: boolean
  readonly hasEnv: boolean
}

/** What an operator reads after an adoption. */
export function reportOf({ bot, source, written, notes, secrets, cloned, hasEnv }: Outcome): string {
  const sources = secrets.map((name) => `${name}: { command: pass show ${bot}/${name} }`)
  return `${source} is a bot now: ${written.join(', ')} ${written.length === 1 ? 'is' : 'are'} new there. Nothing of it was run.
${notes.length === 0 ? '\nEverything that was found is mapped.' : `\nNot mapped, or to be looked at:\n${[...new Set(notes)].map((note) => `  - ${oneLine(note)}`).join('\n')}`}

What is left:

1. read ${source}/bot.yaml: each line says what it was made from

2. in the inventory, under "bots:"
     ${bot}: { host: vps1, source: ${source} }

3. its token, from BotFather${hasEnv ? `, unless ${source}/.env has it` : ''}: in the environment as ${bot.replaceAll('-', '_').toUpperCase()}_TOKEN, in ${source}/.env, or
     token: { command: pass show ${bot} }
${secrets.length === 0 ? '' : `   and ${secrets.length === 1 ? 'a secret' : `${secrets.length} secrets`}, in ${source}/.env or\n     secrets: { ${sources.join(', ')} }\n`}
4. npx zx playbooks/bot.ts --name ${bot} --check
   npx zx playbooks/bot.ts --name ${bot}

To update it: git -C ${source} pull, then bot.ts again.${cloned ? ` The clone is yours: git ignores bots/${bot} once .gitignore names it.` : ''}
`
}
