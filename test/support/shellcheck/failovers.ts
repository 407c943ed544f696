// What a failover sends to both hosts of a pair, and the programs of their gate.
import { cedeScript, keepScript } from '../../../commands/failover/cede.ts'
import { drillScript } from '../../../commands/failover/drill.ts'
import { keptScript } from '../../../commands/failover/kept.ts'
import { makeKey, readKey, storeKey } from '../../../commands/failover/pair-key.ts'
import { replicaScript } from '../../../commands/failover/server.ts'
import { standQuestion } from '../../../commands/failover/stand.ts'
import type { Script } from '../../../lib/shell/sh.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { noGate } from '../../../roles/standby/absent.ts'
import { fenceScript, gateResources, openScript, recordScript } from '../../../roles/standby/gate.ts'
import { answerScript, gateScript } from '../../../roles/standby/program.ts'
import { request, runScripts, type Shell, shell } from './scripts.ts'

const settings = {
  ...{ host: 'one', peer: 'two', peerMesh: '10.214.0.2', telegram: 'https://api.telegram.org' },
  ...{
    ownOrigin: 'https://one.example.org',
    peerOrigin: 'https://two.example.org:8443',
    cluster: '/var/lib/botgarden/postgres/18/docker',
  },
}
const record = { epoch: 2, primary: 'one', standby: 'two' }
const plain = { type: 'file', mode: '0666', owner: 'nobody', group: 'nogroup' }
const stopped = { load: 'loaded', active: 'inactive', enabled: 'disabled', needsReload: false }

export function failoverScripts(): Shell[] {
  const asked: Record<string, Script> = {
    stand: standQuestion,
    kept: keptScript(['hello', 'b']),
    'make a key': makeKey,
    'read a key': readKey,
    'store a key': storeKey(new Secret('a'.repeat(128))),
    replica: replicaScript,
    record: recordScript(record),
    open: openScript(2),
    fence: fenceScript(3),
    cede: cedeScript('hello', { number: 1, serves: 'two', from: 'one', at: '2026-11-26T12:00:00.000Z' }),
    keep: keepScript('hello', { number: 1, serves: 'two', from: 'two', at: '2026-11-26T12:00:00.000Z' }),
    drill: drillScript('postgres:18.6'),
  }
  const there = {
    'gate:state': { open: false, verdict: '' },
    'package:curl': 'absent',
    'unit:botgarden-gate.timer': stopped,
    'unit:botgarden-gate-answer.socket': stopped,
  }
  return [
    ...Object.entries(asked).map(([name, { text }]) => request(`a failover: ${name}`, `set -e\n${text}`)),
    shell('the gate of a pair', gateScript(settings).text),
    shell('what a host of a pair answers', answerScript(settings).text),
    ...runScripts('a host of a pair', gateResources(settings, record, true), there, { reads: true }),
    ...runScripts(
      'the standby of a pair',
      gateResources({ ...settings, host: 'two', peer: 'one' }, record, false),
      there,
    ),
    ...runScripts('a host that leaves a pair', [noGate('one')], {
      'file:/etc/systemd/system/botgarden-gate.timer': plain,
    }),
  ]
}
