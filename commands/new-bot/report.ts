import { existsSync, readFileSync } from 'node:fs'
import { matchesGlob } from 'node:path'
import { tokenVariable } from '../../roles/bot/token.ts'

/** What the operator does next. */
export function whatIsLeft(name: string, model: string): string {
  const folder = `bots/${name}`
  const places = [
    ['the environment', `${tokenVariable(name)}=123456:ABC-def`],
    [`${folder}/.env`, 'BOT_TOKEN=123456:ABC-def'],
    ['the inventory', `token: { command: pass show ${name} }`],
    ['or, in the sandbox', `token: { command: npx zx playbooks/sandbox.ts token ${name} }`],
  ]
  const width = Math.max(...places.map(([place = '']) => place.length))
  const start = isWorkspace(folder) ? `npm install && cd ${folder}` : `cd ${folder} && npm ci`
  return `${folder} is made from ${model}. What is left:

1. in the inventory, under "bots:"
     ${name}: { host: vps1, source: ${folder} }

2. its token, from BotFather, in one of these
${places.map(([place = '', line]) => `     ${place.padEnd(width)}  ${line}`).join('\n')}

3. npx zx playbooks/bot.ts --name ${name}

To work on it: ${start} && npm test
`
}

/** One that the package.json here counts among its own: `npm ci` fails until the lockfile beside it knows it as well. */
function isWorkspace(folder: string): boolean {
  if (!existsSync('package.json')) return false
  try {
    const { workspaces = [] } = JSON.parse(readFileSync('package.json', 'utf8'))
    return workspaces.some((pattern: string) => matchesGlob(folder, pattern))
  } catch {
    // It is npm's to say what is wrong with it.
    return false
  }
}
