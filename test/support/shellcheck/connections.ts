// What every connection sends, and the files of shell that this checkout has.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
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

const root = join(import.meta.dirname, '../../..')

/** By themselves: those that are put into others are checked there, all but the program of backups. */
export function shippedScripts(): Shell[] {
  return globSync('{sandbox,test}/**/*.sh', { cwd: root }).map((path) =>
    shell(path, readFileSync(join(root, path), 'utf8')),
  )
}
