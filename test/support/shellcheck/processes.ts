// What bot.ts and site.ts send for a bot with processes: releases to and from them, repairs, and what asks for them.
import * as v from 'valibot'
import { freshCatalog } from '../../../lib/platform/postgres-catalog.ts'
import { botRole } from '../../../roles/bot/index.ts'
import { serviceFile } from '../../../roles/bot/release/compose-file.ts'
import type { Processes } from '../../../roles/bot/spec/processes.ts'
import { type Spec, specOf } from '../../../roles/bot/spec/spec.ts'
import { entry, facts } from '../fake-host.ts'
import { runScripts, type Shell } from './scripts.ts'

const telegram = 'https://api.telegram.org'
const host = { ...entry, domain: 'b.example.org', bots: [{ name: 'hello', where: 'x', settings: {} }] }
const vars = v.parse(botRole(new Map()).vars, {})
const image = 'hello:1'
const processes: Processes = {
  api: { image: 'botgarden/hello.api:1', port: 8080, health: '/up' },
  clock: { image, command: ['node', 'clock.js'], single: true },
  worker: { image, command: ['node', 'worker.js'] },
}
const spec = (more: Partial<Spec>): Spec => ({ ...specOf(image, {}, { database: false }), processes, ...more })
const limits = { memoryMB: 160, cpus: 0.5 }
const running = (config: string) => ({ status: 'running', health: '', config, restart: 'always', ...limits })

/** A host where this serves, in blue, with these containers of processes. */
function stateWith(before: Spec | undefined, containers: readonly string[]): Record<string, unknown> {
  const instance = { bot: 'hello', number: 1, base: '10.210', telegram, origin: 'https://b.example.org' }
  const record = before && JSON.stringify({ id: '1', spec: before, colour: 'blue', secrets: { token: '' }, by: 'me' })
  return {
    ...{
      'postgres:catalog': freshCatalog,
      'routes:ipv4': [],
      'token-owners:bots': {},
      'releases:bots': [],
      'releases:moved': [],
    },
    ...{ 'free-capacity:host': { totalMB: 4000, memoryMB: 3000, diskMB: 9000 }, 'kept-secrets:hello': { token: 1 } },
    ...{ 'nginx:config': { current: true, whole: true, inForce: true }, 'allocations:bots': { hello: 1 } },
    'file:/etc/botgarden/secrets/bots/hello/token': { type: 'file', mode: '0400', owner: '20001', group: '20001' },
    [`image:${image}`]: { volumes: [] },
    'image:botgarden/hello.api:1': { volumes: [] },
    [`webhook:hello ${telegram} ask`]: { mark: '', answer: 'not asked' },
    [`webhook:hello ${telegram} trust`]: { mark: '', answer: 'not asked' },
    ...(before && {
      'text:/var/lib/botgarden/bots/hello/current.json': record,
      'container:botgarden-hello-blue': running(serviceFile(instance, 'blue', before, limits).checksum),
    }),
    'process-containers:hello': Object.fromEntries(containers.map((name) => [`botgarden-hello.${name}`, running('x')])),
  }
}

export function processScripts(): Shell[] {
  const to = (after: Spec) => ({
    spec: after,
    manifest: {},
    context: undefined,
    pull: false,
    by: 'me',
    isRollback: true,
  })
  const from = (before: Spec | undefined, after: Spec, containers: readonly string[], reads = false) =>
    runScripts(
      'release with processes',
      botRole(new Map([['hello', { ...to(after), token: undefined, secrets: new Map() }]])).resources(
        vars,
        facts,
        host,
      ),
      stateWith(before, containers),
      { reads },
    )
  const { processes: _, ...plain } = spec({})
  const all = ['api-blue', 'clock-blue', 'worker-blue']
  return [
    ...from(undefined, spec({}), [], true),
    ...from(undefined, spec({}), ['old-blue']),
    ...from(spec({}), spec({ port: 9, references: { A: '${token}' } }), all),
    ...from(spec({}), spec({ mode: 'polling' }), all),
    ...from(spec({}), spec({ data: ['/data'] }), all),
    ...from(spec({}), spec({ webhook: 'bot' }), all),
    ...from(spec({}), plain, all),
    ...from(plain, spec({ port: 9 }), []),
    ...[[], all.slice(1), ['api-green']].flatMap((containers) =>
      runScripts(
        'site, processes',
        botRole(new Map()).resources(vars, facts, host),
        stateWith(containers.includes('api-green') ? plain : spec({}), containers),
      ),
    ),
  ]
}
