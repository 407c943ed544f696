import { quote } from '../../lib/shell/sh.ts'
import type { Answers } from './answers.ts'

/** What is left to put right, and the two commands that follow. */
export function next(file: string, { bot }: Answers, left: readonly string[]): string {
  const inventory = `-i ${quote(file)}`
  const faults = left.length === 0 ? '' : `Left to put right:\n${left.map((line) => `  - ${line}\n`).join('')}\n`
  return `${faults}The host, then the bot:

  npx zx playbooks/site.ts ${inventory}
  npx zx playbooks/bot.ts ${inventory} --name ${bot}`
}

/** How the answers are given again, without the token. */
export function sameAgain(file: string, { name, ssh, domain, email, bot }: Answers): string {
  const flags = { inventory: file, 'host-name': name, host: ssh, domain: domain || 'none', email: email || 'none', bot }
  const words = Object.entries(flags).map(([flag, value]) => `--${flag} ${quote(value)}`)
  return `nothing was written; the same answers again: npx zx playbooks/init.ts ${words.join(' ')}`
}
