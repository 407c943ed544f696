import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Change, type Prediction, type Resource, resource } from '../model/resource.ts'
import { sh } from '../shell/sh.ts'
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
          `unit ${name} is masked on this host: somebody chose so; to undo it: systemctl unmask ${name}`,
        )
      if (state.load === 'not-found') {
        if (wanted === 'stopped') return []
        throw new HostError(`unit ${name} does not exist on this host, and nothing in this playbook brings it`)
      }
      const steps = wanted === 'running' ? towardsRunning(name, state) : towardsStopped(name, state)
      const active = wanted === 'running' ? 'active' : 'inactive'
      const enabled =
        isEnabled(state) === (wanted === 'running') ? state.enabled : `${wanted === 'running' ? 'en' : 'dis'}abled`
      const after = becomes(now, { ...state, active, enabled, needsReload: false })
      return steps.map((step) => ({
        ...step,
        diff: () => diffOf(step.summary, state),
        predicts: [after, ...(step.summary === 'start' ? whenStarted : [])],
      }))
    },
  })
}

/** A drop-in that changes a unit, in force when systemd has read it; a running daemon goes on as it was started. */
export function dropIn(unitName: string, name: string, content: string): Resource[] {
  const folder = `/etc/systemd/system/${unitName}.d`
  const reloaded = becomes(unitState(unitName), (before) => ({ ...before, needsReload: false }))
  return [
    directory(folder),
    file(`${folder}/${name}.conf`, { content, afterwards: sh`systemctl daemon-reload`, predicts: [reloaded] }),
  ]
}

function towardsRunning(name: string, state: UnitState): Change[] {
  return [
    ...reload(state),
    ...(isEnabled(state) ? [] : [{ summary: 'enable', script: sh`systemctl enable --quiet -- ${name}` }]),
    ...(isActive(state)
      ? []
      : [
          {
            summary: 'start',
            script: sh`systemctl reset-failed -- ${name} 2>/dev/null || :; systemctl start -- ${name}`,
          },
        ]),
  ]
}

function towardsStopped(name: string, state: UnitState): Change[] {
  return [
    ...reload(state),
    ...(isEnabled(state) && state.enabled !== 'static'
      ? [{ summary: 'disable', script: sh`systemctl disable --quiet -- ${name}` }]
      : []),
    ...(state.active === 'inactive' || state.active === 'failed'
      ? []
      : [{ summary: 'stop', script: sh`systemctl stop -- ${name}` }]),
  ]
}

function diffOf(summary: string, { active, enabled }: UnitState): string {
  if (summary === 'start' || summary === 'stop') return `${active} → ${summary === 'start' ? 'active' : 'inactive'}`
  return summary === 'reload its files' ? summary : `${enabled || 'disabled'} → ${summary}d`
}

function reload(state: UnitState): Change[] {
  return state.needsReload ? [{ summary: 'reload its files', script: sh`systemctl daemon-reload` }] : []
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
