import { notice } from '../../lib/model/combinators.ts'
import { etcDir, optDir, secretsDir, stateDir } from '../../lib/model/host-layout.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { becomes, type Prediction, type Resource, resource } from '../../lib/model/resource.ts'
import { postgresContainer } from '../../lib/platform/postgres-client.ts'
import { gatePort, gateProgram, gateRun, gateState, gateTimer, pairKey } from '../../lib/platform/standby/gate.ts'
import { directory, file } from '../../lib/resources/file.ts'
import { fileState, textOf } from '../../lib/resources/file-state.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { unit, unitState } from '../../lib/resources/unit.ts'
import { lines, type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import { HostError } from '../../lib/std/errors.ts'
import { type PrimaryRecord, parsePrimaryRecord, primaryRecordPath, recordText } from './primary-record.ts'

/** A host of a pair, as its gate has to know it. */
export interface GateSettings {
  readonly host: string
  readonly peer: string
  /** The address of the peer in the mesh. */
  readonly peerMesh: string
  /** Where the world reaches each of them: `https://vps1.example.org`. */
  readonly ownOrigin: string
  readonly peerOrigin: string
  readonly telegram: string
  /** The folder of the cluster that the server runs on. */
  readonly cluster: string
}

const unitsFolder = '/etc/systemd/system'
export const gateUnits = {
  service: 'botgarden-gate.service',
  timer: gateTimer,
  socket: 'botgarden-gate-answer.socket',
  answer: 'botgarden-gate-answer@.service',
}
export const unitFile = (name: string) => `${unitsFolder}/${name}`

const header = '# Written by botgarden; changes made here are overwritten.'
const gate = `${gateProgram}/gate`

/** What comes before anything that the gate holds back. */
export function gateResources(settings: GateSettings, record: PrimaryRecord): Resource[] {
  return [
    aptPackage('curl'),
    ...[optDir, gateProgram].map((each) => directory(each)),
    ...[etcDir, secretsDir, stateDir, gateState].map((each) => directory(each, { mode: '0700' })),
    keyPresent(),
    program('gate', gateScript(settings)),
    program('answer', answerScript(settings)),
    primaryRecorded(record),
    // Before the timer, which would shut a host that no webhook and no peer speaks for yet.
    gateOpen(settings, record),
    ...units(),
    serverGate(),
    gateNotice(),
  ]
}

/** The record on the host. An older one than it has is not written: the gate itself refuses that. */
function primaryRecorded(record: PrimaryRecord): Resource {
  const now = textOf(primaryRecordPath)
  return resource({
    id: `file:${primaryRecordPath}`,
    wants: record,
    reads: { now },
    plan: ({ now: text }) => {
      if (text === recordText(record)) return []
      const there = parsePrimaryRecord(text ?? '')
      if (there !== undefined && there.epoch > record.epoch)
        throw new HostError(
          `${primaryRecordPath} is of epoch ${there.epoch}, newer than ${record.epoch}: run this again`,
        )
      return [
        {
          summary: `epoch ${record.epoch}: ${record.primary} is the primary, ${record.standby} its standby`,
          script: recordScript(record),
          predicts: [
            becomes(now, recordText(record)),
            becomes(fileState(primaryRecordPath), { type: 'file', mode: '0600', owner: 'root', group: 'root' }),
          ],
        },
      ]
    },
  })
}

/** Shell text: records which host is the primary, unless it knows of a later epoch. */
export function recordScript({ epoch, primary, standby }: PrimaryRecord): Script {
  return sh`${gate} record ${epoch} ${primary} ${standby}`
}

/** Shell text: this host serves from now on, as the primary of this epoch. */
export function openScript(epoch: number): Script {
  return sh`${gate} open ${epoch}`
}

/** Shell text: stops what serves, for good, and keeps it from being started until a record of this epoch says otherwise. */
export function fenceScript(epoch: number): Script {
  return sh`${gate} fence ${epoch}`
}

/** The gate of the primary is open. It decides for itself; a run that has asked both hosts tells it what it cannot know. */
function gateOpen({ host }: GateSettings, { epoch, primary }: PrimaryRecord): Resource {
  return resource({
    id: 'gate:open',
    wants: { epoch, primary },
    reads: { state: gateReading },
    plan: ({ state }) => {
      if (primary !== host || state.open) return []
      return [
        {
          summary: `open: ${host} is the primary of epoch ${epoch}`,
          script: openScript(epoch),
          long: true,
          predicts: [
            becomes(gateReading, { ...state, open: true, verdict: 'open' }),
            becomes(fileState(`${gateRun}/postgres`), gateFolder),
          ],
        },
      ]
    },
  })
}

const gateFolder = { type: 'directory', mode: '0700', owner: 'root', group: 'root' } as const

/** A server that follows another one by now is let through: it cannot be written to. */
function serverGate(): Resource {
  const now = fileState(`${gateRun}/postgres`)
  return {
    ...resource({
      id: 'gate:postgres',
      wants: 'open',
      reads: { now },
      plan: ({ now: state }) => {
        if (state !== 'absent') return []
        const script = sh`
          ${gate}
          [ -d ${gateRun}/postgres ] || { echo "the gate is shut: $(tail -n +2 ${gateRun}/verdict)"; exit 1; }`
        return [{ summary: 'open, for the server', script, long: true, predicts: [becomes(now, gateFolder)] }]
      },
    }),
    follows: 'standby:data',
  }
}

export interface GateState {
  readonly open: boolean
  /** `open` or `shut`, and why; '' where it was not judged since the boot. */
  readonly verdict: string
}

const kind: Kind<GateState> = {
  name: 'gate',
  volatile: true,
  script: () => gateStateScript,
  parse: oneValue(parseGateState),
}
export const gateReading: Reading<GateState> = reading(kind, 'state')

export const gateStateScript: Script = sh`
  [ ! -d ${gateRun}/bots ] || echo open
  tail -n +2 ${gateRun}/verdict 2>/dev/null | head -c 400 | sed 's/^/verdict /'`

export function parseGateState(output: string): GateState {
  return { open: /^open$/m.test(output), verdict: /^verdict (.*)$/m.exec(output)?.[1] ?? '' }
}

function gateNotice(): Resource {
  return notice({
    id: 'gate:told',
    reads: { state: gateReading, text: textOf(primaryRecordPath) },
    outputs: ({ state, text }) => {
      const record = parsePrimaryRecord(text ?? '')
      const of = record === undefined ? '' : `epoch ${record.epoch}: ${record.primary}, standby ${record.standby}`
      return { primary: [of, ...(state.verdict === '' ? [] : [`gate ${state.verdict}`])].filter(Boolean).join('; ') }
    },
  })
}

/** Brought by the run before, from host to host. */
function keyPresent(): Resource {
  const now = fileState(pairKey)
  return resource({
    id: `secret:${pairKey}`,
    wants: 'there',
    reads: { now },
    plan: ({ now: state }) => {
      if (state !== 'absent') return []
      const script = sh`[ -s ${pairKey} ] || { echo ${`${pairKey} is missing: run this again for both hosts`}; exit 1; }`
      const after = { type: 'file', mode: '0400', owner: 'root', group: 'root' } as const
      return [{ summary: 'bring the key of the pair', script, predicts: [becomes(now, after)] }]
    },
  })
}

function settingsText({ host, peer, peerMesh, ownOrigin, peerOrigin, telegram, cluster }: GateSettings): Script {
  return sh`host=${host} peer=${peer} peer_mesh=${peerMesh} port=${gatePort}
      own_origin=${ownOrigin} peer_origin=${peerOrigin} telegram=${telegram}
      record=${primaryRecordPath} key=${pairKey} run=${gateRun} state=${gateState}
      cluster=${cluster} server=${postgresContainer}`
}

export function gateScript(settings: GateSettings): Script {
  return lines([
    sh`set -u; export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    settingsText(settings),
    shellFile(new URL('gate.sh', import.meta.url)),
  ])
}

export function answerScript({ host }: Pick<GateSettings, 'host'>): Script {
  return lines([
    sh`set -u; export LC_ALL=C`,
    sh`host=${host} record=${primaryRecordPath} key=${pairKey}`,
    shellFile(new URL('answer.sh', import.meta.url)),
  ])
}

function program(name: string, { text }: Script): Resource {
  return file(`${gateProgram}/${name}`, {
    content: `#!/bin/sh\n${header}\n${text}\n`,
    mode: '0700',
    validate: { tool: 'sh', script: (path) => sh`sh -n ${path}` },
  })
}

const service = `${header}
[Unit]
Description=botgarden: whether this host of a pair may serve
After=docker.service network-online.target wg-quick@mesh0.service
Wants=network-online.target

[Service]
Type=oneshot
ExecStart=${gate}
NoNewPrivileges=yes
TimeoutStartSec=300
# Not a line each time in the journal.
LogLevelMax=notice
SyslogLevel=warning
`

const timer = `${header}
[Unit]
Description=botgarden: when a host of a pair asks whether it may serve

[Timer]
OnActiveSec=1s
OnUnitInactiveSec=15s
AccuracySec=1s

[Install]
WantedBy=timers.target
`

/** It listens on all addresses, since the mesh may come later; the firewall lets in nobody but peers. */
const socket = `${header}
[Unit]
Description=botgarden: where a host of a pair says which is the primary

[Socket]
ListenStream=${gatePort}
Accept=yes
MaxConnections=8
MaxConnectionsPerSource=4
TriggerLimitIntervalSec=0

[Install]
WantedBy=sockets.target
`

const answer = `${header}
[Unit]
Description=botgarden: says which host of a pair is the primary
CollectMode=inactive-or-failed

[Service]
ExecStart=${gateProgram}/answer
StandardInput=socket
StandardOutput=socket
StandardError=null
RuntimeMaxSec=5
MemoryMax=16M
TasksMax=16
CapabilityBoundingSet=
NoNewPrivileges=yes
PrivateNetwork=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
LogLevelMax=notice
`

function units(): Resource[] {
  const written = (name: string, content: string, afterwards: Script, predicts: readonly Prediction[]) =>
    file(unitFile(name), { content, afterwards, predicts })
  const reload = sh`systemctl daemon-reload`
  const both = [isRead(gateUnits.timer), isRead(gateUnits.socket)]
  return [
    written(gateUnits.answer, answer, reload, both),
    written(gateUnits.service, service, reload, both),
    written(gateUnits.socket, socket, sh`systemctl daemon-reload; systemctl try-restart ${gateUnits.socket}`, both),
    written(gateUnits.timer, timer, sh`systemctl daemon-reload; systemctl try-restart ${gateUnits.timer}`, both),
    unit(gateUnits.socket, 'running'),
    unit(gateUnits.timer, 'running'),
  ]
}

/** The unit is there for systemd, which it was not before its file. */
function isRead(name: string): Prediction {
  return becomes(unitState(name), (before) => ({
    ...(before.load === 'loaded' ? before : { active: 'inactive', enabled: 'disabled' }),
    load: 'loaded',
    needsReload: false,
  }))
}
