import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Prediction, type Resource, resource } from '../model/resource.ts'
import { type Script, sh } from '../shell/sh.ts'
import { HostError } from '../std/errors.ts'
import { directory, file } from './file.ts'

/** What systemd says of a unit. */
export interface UnitState {
  /** LoadState: `loaded`, `not-found`, `masked`. */
  readonly load: string
  /** ActiveState: `active`, `inactive`, `failed`, `activating`. */
  readonly active: string
  /** UnitFileState: `enabled`, `disabled`, `static`. */
  readonly enabled: string
  /** Its files changed since systemd read them. */
  readonly needsReload: boolean
}

/** A unit that runs now and after every boot. */
export const runningUnit: UnitState = { load: 'loaded', active: 'active', enabled: 'enabled', needsReload: false }

export function unitState(name: string): Reading<UnitState> {
  return reading(units, name)
}

/** A unit that runs, or does not, now and after the next boot. `whenStarted`: what else its start changes. */
export function unit(
  name: string,
  wanted: 'running' | 'stopped',
  { whenStarted = [] }: { whenStarted?: readonly Prediction[] } = {},
): Resource {
  const now = unitState(name)
  return resource({
    id: `unit:${name}`,
    wants: wanted,
    reads: { now },
    plan: ({ now: state }) => {
      if (state.load === 'masked' && wanted === 'running')
        throw new HostError(
          `unit ${name} is masked on this host: an operator must have done that; to undo it: systemctl unmask ${name}`,
        )
      if (state.load === 'not-found') {
        if (wanted === 'stopped') return []
        throw new HostError(`unit ${name} does not exist on this host, and nothing in this playbook provides it`)
      }
      const active = wanted === 'running' ? 'active' : 'inactive'
      const enabled =
        isEnabled(state) === (wanted === 'running') ? state.enabled : `${wanted === 'running' ? 'en' : 'dis'}abled`
      const after = becomes(now, { ...state, active, enabled, needsReload: false })
      return actionsTowards(wanted, state).map((action) => ({
        summary: summaries[action],
        script: scriptOf(action, name),
        diff: () => diffOf(action, state),
        predicts: [after, ...(action === 'start' ? whenStarted : [])],
      }))
    },
  })
}

/** What the file of a unit changes: systemd knows the unit, which it may not have before. */
export function unitIsRead(name: string): Prediction {
  return becomes(unitState(name), (before) => ({
    ...(before.load === 'loaded' ? before : { active: 'inactive', enabled: 'disabled' }),
    load: 'loaded',
    needsReload: false,
  }))
}

/** A drop-in for a unit, effective once systemd has read it; a running daemon keeps its settings until it restarts. */
export function dropIn(unitName: string, name: string, content: string): Resource[] {
  const reloaded = becomes(unitState(unitName), (before) => ({ ...before, needsReload: false }))
  return [
    directory(dropInFolder(unitName)),
    file(dropInPath(unitName, name), { content, afterwards: sh`systemctl daemon-reload`, predicts: [reloaded] }),
  ]
}

export function dropInPath(unitName: string, name: string): string {
  return `${dropInFolder(unitName)}/${name}.conf`
}

function dropInFolder(unitName: string): string {
  return `/etc/systemd/system/${unitName}.d`
}

/** What systemd is asked to do. */
type Action = 'daemon-reload' | 'enable' | 'start' | 'disable' | 'stop'

const summaries: Record<Action, string> = {
  'daemon-reload': 'reload its files',
  enable: 'enable',
  start: 'start',
  disable: 'disable',
  stop: 'stop',
}

function actionsTowards(wanted: 'running' | 'stopped', state: UnitState): Action[] {
  const { active, enabled } = state
  const isStopped = active === 'inactive' || active === 'failed'
  const enabling: Action[] = isEnabled(state) ? [] : ['enable']
  const disabling: Action[] = isEnabled(state) && enabled !== 'static' ? ['disable'] : []
  return [
    ...(state.needsReload ? (['daemon-reload'] as const) : []),
    ...(wanted === 'running' ? enabling : disabling),
    ...(wanted === 'running' && !isActive(state) ? (['start'] as const) : []),
    ...(wanted === 'stopped' && !isStopped ? (['stop'] as const) : []),
  ]
}

function scriptOf(action: Action, name: string): Script {
  if (action === 'daemon-reload') return sh`systemctl daemon-reload`
  if (action === 'start') return sh`systemctl reset-failed -- ${name} 2>/dev/null || :; systemctl start -- ${name}`
  if (action === 'stop') return sh`systemctl stop -- ${name}`
  return sh`systemctl ${action} --quiet -- ${name}`
}

function diffOf(action: Action, { active, enabled }: UnitState): string {
  if (action === 'daemon-reload') return summaries[action]
  if (action === 'start' || action === 'stop') return `${active} → ${action === 'start' ? 'active' : 'inactive'}`
  return `${enabled || 'disabled'} → ${action}d`
}

function isEnabled({ enabled }: UnitState): boolean {
  // Not `enabled-runtime`, which is gone with the next boot.
  return ['enabled', 'static', 'alias', 'generated'].includes(enabled)
}

function isActive({ active }: UnitState): boolean {
  return active === 'active' || active === 'reloading'
}

const units: Kind<UnitState> = {
  name: 'unit',
  volatile: true,
  script: (names) => sh`systemctl show --property=LoadState,ActiveState,UnitFileState,NeedDaemonReload -- ${names}`,
  // One block a unit, in the order they were asked for.
  parse: (output, names) => {
    const blocks = output.trim().split(/\n\n+/)
    return new Map(names.map((name, i) => [name, parseUnit(blocks[i] ?? '', name)]))
  },
}

function parseUnit(block: string, name: string): UnitState {
  const property = Object.fromEntries(block.split('\n').map((line) => line.split('=', 2)))
  if (property.LoadState === undefined) throw new HostError(`systemd does not answer about ${name}:\n${block}`)
  return {
    load: property.LoadState,
    active: property.ActiveState,
    enabled: property.UnitFileState,
    needsReload: property.NeedDaemonReload === 'yes',
  }
}
