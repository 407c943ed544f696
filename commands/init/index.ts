import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { onInterrupt } from '../../lib/cli/main.ts'
import { valueAt } from '../../lib/inventory/edit-yaml.ts'
import type { RoleSchema } from '../../lib/inventory/file-schema.ts'
import { inventoryOf, sshConfigOf } from '../../lib/inventory/inventory.ts'
import { readText } from '../../lib/inventory/read-text.ts'
import { parseYaml } from '../../lib/inventory/yaml.ts'
import { RunnerError, UsageError } from '../../lib/std/errors.ts'
import { operatorFolder, startPathsAt } from '../../lib/std/local-path.ts'
import { writeErr, writeOut } from '../../lib/std/output.ts'
import { realTelegram } from '../../roles/bot/spec/schema.ts'
import { answersOf } from './answers.ts'
import { knownOf } from './known.ts'
import { terminalPrompt } from './prompt.ts'
import { prove } from './prove.ts'
import { next, sameAgain } from './report.ts'
import { inventoryText, type Making, writeAnswers } from './write-files.ts'

export { initFlags } from './flags.ts'

/** The command init.ts: asks, proves, and writes the inventory and `.env`. Returns 0, or 3 where something is left to put right. */
export async function init(
  given: ReadonlyMap<string, readonly string[]>,
  { roles, makeBot }: { roles: readonly RoleSchema[]; makeBot: Making },
): Promise<number> {
  const file = given.get('inventory')?.[0] ?? (process.env.BOTGARDEN_INVENTORY || 'inventory/production.yaml')
  const before = existsSync(file) ? await readText(file) : ''
  if (before.trim() !== '') parseYaml(before, file)
  if (valueAt(before, ['sandbox']) === true)
    throw new UsageError(
      `${file}: is the inventory of the sandbox, which needs no answers: name another one by --inventory`,
    )
  startPathsAt(file)
  const envFile = join(operatorFolder(), '.env')
  const named = valueAt(before, ['sshConfig'])
  const sshConfig = sshConfigOf(file, typeof named === 'string' ? named : undefined)
  const fingerprint = fingerprintOf(given.get('fingerprint')?.[0])
  const prompt = await terminalPrompt()
  const begins = onInterrupt(() => 'nothing was written')
  const answers = await answersOf(given, (name) => knownOf(before, envFile, name), prompt, sshConfig)
  try {
    const after = inventoryText(before, file, answers)
    const { hosts } = inventoryOf(parseYaml(after, file), file, roles)
    const host = hosts.find(({ name }) => name === answers.name)
    const { telegram = realTelegram } = (host?.vars.bot ?? {}) as { telegram?: string }
    const target = { name: answers.name, ssh: answers.ssh, sshConfig, acceptNew: false }
    const ports = [80, host?.httpsPort ?? 443]
    const left = await prove({ answers, target, fingerprint, prompt, ports, telegram, say: writeErr })
    begins()
    await writeAnswers({ file, after, envFile, answers, makeBot, say: writeErr })
    writeOut(next(file, answers, left))
    return left.length === 0 ? 0 : 3
  } catch (error) {
    if (prompt !== undefined && error instanceof RunnerError) error.message += `\n${sameAgain(file, answers)}`
    throw error
  }
}

function fingerprintOf(said: string | undefined): string | undefined {
  if (said === undefined || /^SHA256:[\w+/]{43}$/.test(said)) return said
  throw new UsageError(
    `--fingerprint: should be SHA256: and 43 characters, as ssh-keygen -lf prints it, found "${said}"\nsee: npx zx playbooks/init.ts --help`,
  )
}
