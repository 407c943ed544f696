// What every connection sends, and the files of shell that this checkout has.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { proveDns } from '../../../commands/init/prove-dns.ts'
import { proveReached } from '../../../commands/init/prove-ports.ts'
import { workflow } from '../../../commands/new-bot/workflow.ts'
import { credentialsOf } from '../../../lib/engine/credentials.ts'
import { takeLock } from '../../../lib/engine/host-lock.ts'
import { confirmScript, revertScript } from '../../../lib/engine/revert-guard.ts'
import { generatedSecret } from '../../../lib/resources/generated-secret.ts'
import { remoteShell } from '../../../lib/ssh/connection.ts'
import { factsScript, firstBootScript } from '../../../lib/ssh/read-facts.ts'
import { recorder } from './recorder.ts'
import { request, type Shell, shell } from './scripts.ts'

export async function connectionScripts(): Promise<Shell[]> {
  const here = recorder('--show-secrets')
  await credentialsOf([generatedSecret('/x'), generatedSecret('/y z')], here.connection, { reveal: true })
  return [
    shell('login', remoteShell),
    request('facts', factsScript.text),
    request('first boot', firstBootScript.text),
    ...[true, false].map((wait) => request('hold', takeLock({ holder: 'ops@laptop', wait }, '4bd1'))),
    request('confirm', confirmScript.text),
    request('revert', revertScript.text),
    ...here.requests,
  ]
}

/** What init.ts asks a host, and the steps that new-bot.ts --ci writes for a bash elsewhere. */
export async function beginningScripts(): Promise<Shell[]> {
  const { connection, requests } = recorder('init')
  await proveDns('bots.invalid', undefined, connection)
  await proveReached('192.0.2.1', [80, 443], connection)
  const made = {
    bot: 'shop',
    path: 'bots/shop',
    botgarden: 'https://git.example.org/b',
    commit: 'c0ffee',
    branch: 'main',
  }
  const { steps } = parse(workflow(made)).jobs.deploy as { steps: { name?: string; run?: string }[] }
  return [
    ...requests,
    ...steps.flatMap(({ name = '', run }) => (run === undefined ? [] : [shell(name, `#!/bin/bash\nset -e\n${run}`)])),
  ]
}

const root = join(import.meta.dirname, '../../..')

/** By themselves: those that are put into others are checked there, all but the program of backups. */
export function shippedScripts(): Shell[] {
  return globSync('{sandbox,test}/**/*.sh', { cwd: root }).map((path) =>
    shell(path, readFileSync(join(root, path), 'utf8')),
  )
}
