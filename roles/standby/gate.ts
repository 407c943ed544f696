import { notice } from '../../lib/model/combinators.ts'
import { etcDir, optDir, secretsDir, stateDir } from '../../lib/model/host-layout.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { gateProgram, gateRun, gateState, pairKey } from '../../lib/platform/standby/gate.ts'
import { directory } from '../../lib/resources/file.ts'
import { fileState, textOf } from '../../lib/resources/file-state.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import { type PrimaryRecord, parsePrimaryRecord, primaryRecordPath, recordText } from './primary-record.ts'
import { type GateSettings, programs } from './program.ts'
import { units } from './units.ts'

const gate = `${gateProgram}/gate`

/**
 * What comes before anything that the gate holds back. Where it is not certain which host is the primary, since the other one was not
 * asked, the gate decides for itself whether it opens.
 */
export function gateResources(settings: GateSettings, record: PrimaryRecord, isCertain: boolean): Resource[] {
  return [
    aptPackage('curl'),
    ...[optDir, gateProgram].map((each) => directory(each)),
    ...[etcDir, secretsDir, stateDir, gateState].map((each) => directory(each, { mode: '0700' })),
    keyPresent(missing),
    ...programs(settings),
    primaryRecorded(record, settings.host),
    // Before the timer, which would shut a host that no webhook and no peer speaks for yet.
    ...(isCertain ? [gateOpen(settings, record)] : []),
    ...units(),
    serverGate(),
    gateNotice(),
  ]
}

/** The record on the host. An older one than it has is not written: the gate itself refuses that. */
function primaryRecorded(record: PrimaryRecord, host: string): Resource {
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
            // The gate of a former primary shuts as soon as it looks, until its server follows the other one.
            ...(there?.primary === host && record.primary !== host
              ? [becomes(fileState(`${gateRun}/postgres`), 'absent' as const)]
              : []),
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

/**
 * Shell text: this host serves from now on, as the primary of this epoch. `decided`: the run has decided that itself, just now; `back`: it
 * was stopped for a failover, which is given up, or repeated. Fails where the other host has taken over since.
 */
export function openScript(epoch: number, because?: 'decided' | 'back'): Script {
  return sh`${gate} open ${epoch} ${because ?? []}`
}

/** Shell text: stops what serves, for good, and keeps it from being started until a record of this epoch says otherwise. */
export function fenceScript(epoch: number): Script {
  return sh`${gate} fence ${epoch}`
}

/** The gate of the primary is open. It decides for itself; a run that has asked both hosts tells it what it cannot know. */
function gateOpen({ host, peer }: GateSettings, { epoch, primary }: PrimaryRecord): Resource {
  return resource({
    id: 'gate:open',
    wants: { epoch, primary },
    reads: { state: gateReading },
    plan: ({ state }) => {
      if (primary !== host || state.open) return []
      if (/^shut it was stopped for a failover/.test(state.verdict))
        throw new HostError(
          `${host} was stopped for a failover to ${peer} that has not ended; end it: npx zx playbooks/failover.ts --from ${host} --to ${peer}; or give it up: npx zx playbooks/failover.ts --from ${peer} --to ${host}`,
        )
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
  /** When it was judged last, in milliseconds since 1970 by its own clock; left out where it was not since the boot. */
  readonly at?: number
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
  head -n 1 ${gateRun}/verdict 2>/dev/null | sed 's/^/at /'
  tail -n +2 ${gateRun}/verdict 2>/dev/null | head -c 400 | sed 's/^/verdict /'`

export function parseGateState(output: string): GateState {
  const at = /^at (\d{1,12})$/m.exec(output)?.[1]
  return {
    ...{ open: /^open$/m.test(output), verdict: /^verdict (.*)$/m.exec(output)?.[1] ?? '' },
    ...(at !== undefined && { at: Number(at) * 1000 }),
  }
}

/** What is wrong where the primary of the inventory may not serve. */
export function gateFaults(
  { is, own, other }: { is: 'primary' | 'standby'; own: string; other: string },
  gate: GateState | undefined,
) {
  if (is !== 'primary' || gate === undefined || gate.open || gate.verdict === '') return []
  const [, taken] = /^shut (\S+) is the primary since/.exec(gate.verdict) ?? []
  const next =
    taken === undefined
      ? `if ${other} does not serve, npx zx playbooks/failover.ts --from ${other} --to ${own} --old-host-is-gone opens it`
      : `change the lines of the inventory that npx zx playbooks/site.ts names`
  return [`its gate is ${gate.verdict}: it runs no bot, and no server that takes changes; ${next}`]
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

/** The key of the pair, which this script brings, and where it is. */
export function keyResources(script: Script): Resource[] {
  return [...[etcDir, secretsDir].map((each) => directory(each, { mode: '0700' })), keyPresent(script)]
}

/** Brought by the run before, from host to host. */
const missing = sh`[ -s ${pairKey} ] || { echo ${`${pairKey} is missing: run this again for both hosts`}; exit 1; }`

function keyPresent(script: Script): Resource {
  const now = fileState(pairKey)
  return resource({
    id: `secret:${pairKey}`,
    wants: 'there',
    reads: { now },
    plan: ({ now: state }) => {
      if (state !== 'absent') return []
      const after = { type: 'file', mode: '0400', owner: 'root', group: 'root' } as const
      return [{ summary: 'bring the key of the pair', script, predicts: [becomes(now, after)] }]
    },
  })
}
