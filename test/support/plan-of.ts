import { allChanges, planAll } from '../../lib/engine/plan.ts'
import type { Reading } from '../../lib/model/reading.ts'
import { type Change, knownAfterApply, type Resource } from '../../lib/model/resource.ts'

/** What would be done to a host in this state, a line each: `ID: SUMMARY`, and for the rest what is not just «ok». */
export function planOf(resources: readonly Resource[], state: Record<string, unknown>): string[] {
  return planAll(resources, stateOf(resources, state)).flatMap((planned) => {
    const { id } = planned.resource
    if (planned.status === 'ok') return []
    if (planned.status === 'change') return planned.changes.map(({ summary }) => `${id}: ${summary}`)
    return [`${id}: ${planned.status} ${planned.cause}`]
  })
}

/** The scripts that would run, as they may be shown. */
export function scriptsOf(resources: readonly Resource[], state: Record<string, unknown>): string[] {
  return allChanges(planAll(resources, stateOf(resources, state))).map(({ change }) => change.script.shown)
}

/** The changes themselves, for a test that makes them somewhere. */
export function changesOf(resources: readonly Resource[], state: Record<string, unknown>): Change[] {
  return allChanges(planAll(resources, stateOf(resources, state))).map(({ change }) => change)
}

/** The state as all that is planned leaves it, by what each change predicts; what only the host can tell stays as it was. */
export function stateAfter(resources: readonly Resource[], state: Record<string, unknown>): Record<string, unknown> {
  const now = stateOf(resources, state)
  const read = <S>({ key }: Reading<S>) => now.get(key) as S
  for (const resource of resources)
    for (const prediction of resource.plan(read).flatMap(({ predicts = [] }) => predicts)) {
      if (!now.has(prediction.key) || 'unknownUntilApply' in prediction) continue
      const after = prediction.after(now.get(prediction.key), read)
      if (after !== knownAfterApply) now.set(prediction.key, after)
    }
  return Object.fromEntries(now)
}

/** The ids of resources, in their order. */
export function idsOf(resources: readonly Resource[]): string[] {
  return resources.map(({ id }) => id)
}

/** What the resource with this id wants; `undefined` where there is none. */
export function wantsOf(resources: readonly Resource[], id: string): unknown {
  return resources.find((each) => each.id === id)?.wants
}

/** The content of the file whose path ends like this, as it is wanted. */
export function contentOf(resources: readonly Resource[], end: string): string {
  const found = resources.find(({ id }) => id.startsWith('file:') && id.endsWith(end))
  if (found === undefined) throw new Error(`no file ${end} is wanted`)
  return (found.wants as { content: string }).content
}

const nothing: Record<string, unknown> = {
  file: 'absent',
  text: undefined,
  program: false,
  package: 'absent',
  group: 'absent',
  test: false,
  swap: { active: {}, fileMiB: 0, freeMiB: 20_000 },
  waiting: { held: [], reboot: [] },
  container: 'absent',
  image: 'absent',
  'kept-secrets': {},
  'database-contents': { trusted: undefined, database: undefined },
  'removal-conflicts': { containers: [], databases: [] },
  'left-files': { busy: false, paths: [] },
  postgres: undefined,
  'server-data': 'none',
  releases: [],
  nginx: 'absent',
  certificate: 'absent',
  lineage: 'absent',
  'port-holders': [],
  'own-lineages': { lineages: [], folders: [], sites: {} },
  'certificate-refusal': undefined,
  backups: { now: 0, status: undefined },
  'watch-proof': false,
  served: { issuer: '', ends: '' },
  unit: { load: 'not-found', active: 'inactive', enabled: '', needsReload: false },
}

/** What a bare host answers to these readings, with the differences that a test is about. */
export function stateOf(resources: readonly Resource[], differences: Record<string, unknown>): Map<string, unknown> {
  const keys = resources.flatMap((resource) =>
    resource.reads.map(({ key, kind }) => [key, isPassword(key) ? 'wrong' : nothing[kind.name]] as const),
  )
  return new Map([...keys, ...Object.entries(differences)])
}

/** The database server tells its catalog and passwords of roles: `postgres:ROLE FILE`. */
function isPassword(key: string): boolean {
  return key.startsWith('postgres:') && key.includes(' ')
}
