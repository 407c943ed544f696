// What bot.ts sends where a bot is moved: all that it asks and does on both hosts.
import { servedScript } from '../../../commands/deploy/elsewhere.ts'
import { installScript, packScript, sumScript } from '../../../commands/move/certificates.ts'
import { dumpScript, fillScript, forgetDump, storeScript, sumsScript } from '../../../commands/move/database.ts'
import {
  allFilesScript,
  folderScript,
  packScript as packFiles,
  unpackScript,
} from '../../../commands/move/files/index.ts'
import { imagesScript, loadScript, namedImages, saveScript } from '../../../commands/move/images.ts'
import {
  clearScript,
  giveBackScript,
  historyScript,
  numberScript,
  readyScript,
} from '../../../commands/move/new-host.ts'
import {
  bringBackScript,
  giveAwayScript,
  quietScript,
  stopScript,
  takeBackScript,
} from '../../../commands/move/old-host/index.ts'
import { pullScript, readLogin } from '../../../commands/move/pinned-images.ts'
import { readSecrets, writeSecrets } from '../../../commands/move/secrets.ts'
import { surveyScript } from '../../../commands/move/survey.ts'
import type { Script } from '../../../lib/shell/sh.ts'
import { relayScript } from '../../../lib/ssh/relay.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { botAbsent } from '../../../roles/bot/remove.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { request, runScripts, type Shell, shell } from './scripts.ts'

const entry = { path: 'renewal/a.example.org.conf', mode: 0o644, link: '', content: Buffer.from('x') }
const place = { number: 1, serves: 'two', from: 'one', at: '2026-11-26T12:00:00.000Z' }

export function moveScripts(): Shell[] {
  const release = { id: '1', spec: specOf('hello:1', {}, {}), colour: 'blue', secrets: {}, by: 'me' } as const
  const asked: Record<string, Script> = {
    served: servedScript(['hello', 'b']),
    survey: surveyScript('hello', 'b.example.org'),
    images: imagesScript(['hello:1', 'hello:2']),
    'all images': namedImages,
    'read a login': readLogin('ghcr.io/a/b@sha256:1'),
    pull: pullScript('ghcr.io/a/b@sha256:1', new Secret('{}')),
    secrets: readSecrets('hello', ['token', 'KEY']),
    'write secrets': writeSecrets('hello', new Map([['token', new Secret('YQ==')]])),
    'pack a certificate': packScript('a.example.org'),
    'sum of a certificate': sumScript('a.example.org'),
    'install a certificate': installScript('a.example.org', [entry], new Secret('YQ==')),
    clear: clearScript('hello', place),
    history: historyScript('hello', [release]),
    number: numberScript('hello'),
    folder: folderScript('hello', 'data', '20001'),
    files: allFilesScript('hello', 'cache'),
    sums: sumsScript('hello'),
    fill: fillScript('hello', 1),
    stop: stopScript('hello', release),
    'give away': giveAwayScript('hello', '2026-11-26T12:00:00Z', place),
    quiet: quietScript('hello'),
    'bring back': bringBackScript('hello'),
    'take back': takeBackScript('hello', place),
    ready: readyScript('hello', place),
    'give back': giveBackScript('hello', place),
    forget: forgetDump('hello'),
  }
  const relayed: Record<string, readonly [Script, 'relay_source' | 'relay_sink']> = {
    'save images': [saveScript(['hello:1']), 'relay_source'],
    'load images': [loadScript, 'relay_sink'],
    'pack files': [packFiles('hello', 'data', true), 'relay_source'],
    unpack: [unpackScript('hello', 'data'), 'relay_sink'],
    dump: [dumpScript('hello'), 'relay_source'],
    store: [storeScript('hello'), 'relay_sink'],
  }
  const left = botAbsent('hello', 'https://api.telegram.org', { purge: true, isMoved: true, hasDatabase: false })
  const there = {
    'allocations:bots': { hello: 1 },
    'kept-data:hello': false,
    'removal-conflicts:hello': { containers: [], databases: [] },
  }
  return [
    ...Object.entries(asked).map(([name, { text }]) => request(`a move: ${name}`, `set -e\n${text}`)),
    ...Object.entries(relayed).map(([name, [script, side]]) =>
      shell(`a move: ${name}`, relayScript(script, side).text),
    ),
    ...runScripts('what a move has left', [left], there),
  ]
}
