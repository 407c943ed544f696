import { UsageError } from '../std/errors.ts'
import { writeOut } from '../std/output.ts'
import { type Flags, givenFlags, spellingOf } from './flags.ts'
import { main } from './main.ts'
import { type Example, scriptArguments } from './options.ts'

/** A playbook that has flags of its own alone, since it has no inventory to run on. */
export interface PlainPlaybook {
  readonly name: string
  /** What it does, as `--help` says it after the name. */
  readonly summary: string
  /** How its command line goes on after the script. */
  readonly usage: string
  readonly flags: Flags
  /** What `--help` says below the flags. */
  readonly notes?: string
  readonly examples: readonly Example[]
  /** The flag that a word without one was probably meant for. */
  readonly standard: string
  readonly run: (given: ReadonlyMap<string, readonly string[]>) => Promise<number>
}

/** Runs such a playbook from the command line. */
export function plainPlay(playbook: PlainPlaybook): Promise<void> {
  return main(async () => {
    const { name, flags, run } = playbook
    const given = parsed(scriptArguments(process.argv, process.env, `${name}.ts`, flags), playbook)
    if (!given.has('help')) return run(given)
    writeOut(help(playbook).trimEnd())
    return 0
  })
}

function parsed(argv: readonly string[], { name, flags, standard }: PlainPlaybook): Map<string, string[]> {
  try {
    return givenFlags(argv, flags)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    // A stray word is a host or an inventory to other playbooks.
    const message = error.message.replace(/"--(limit|inventory) /, `"--${standard} `)
    throw new UsageError(`${message}\nsee: npx zx playbooks/${name}.ts --help`)
  }
}

function help({ name, summary, usage, flags, notes, examples }: PlainPlaybook): string {
  const rows = Object.entries(flags).map(([flag, each]) => [spellingOf(flag, each), each.help] as const)
  const width = Math.max(...rows.map(([spelling]) => spelling.length))
  const longest = Math.max(...examples.map(([line]) => line.length))
  return `${name}: ${summary}

usage: npx zx playbooks/${name}.ts ${usage}

options:
${rows.map(([spelling, text]) => `  ${spelling.padEnd(width)}  ${text}`).join('\n')}
${notes === undefined ? '' : `\n${notes}\n`}
examples:
${examples.map(([line, meaning]) => `  npx zx playbooks/${name}.ts ${line.padEnd(longest)}  # ${meaning}`).join('\n')}
`
}
