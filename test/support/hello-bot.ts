// A bot of an inventory, what its host answers before it is released there, and what the role plans then.
import * as v from 'valibot'
import { freshCatalog } from '../../lib/platform/postgres-catalog.ts'
import { Secret } from '../../lib/std/secret.ts'
import { bot, botRole } from '../../roles/bot/index.ts'
import type { Deployment } from '../../roles/bot/spec/deployment.ts'
import { type Spec, specOf } from '../../roles/bot/spec/spec.ts'
import { entry, facts } from './fake-host.ts'
import { planOf } from './plan-of.ts'

export const spec: Spec = specOf('botgarden/hello-bot:abc', {}, { health: '/readyz', migrate: ['node', 'migrate.ts'] })
export const hello = { name: 'hello-bot', where: 'x.yaml:9:3', settings: {} }
export const host = { ...entry, domain: 'bots.example.org', bots: [hello] }
export const vars = v.parse(bot.vars, {})
export const tokenFile = 'file:/etc/botgarden/secrets/bots/hello-bot/token'

export function deployment(more: Partial<Spec> = {}, other: Partial<Deployment> = {}): Deployment {
  return {
    ...{ spec: { ...spec, ...more }, manifest: {}, context: undefined, pull: false },
    ...{ token: new Secret('123456:a-token-of-a-bot-in-a-test'), secrets: new Map(), by: 'ops@laptop' },
    ...other,
  }
}

/** A host that has the image, and nothing else of the bot. */
export const bare = {
  'postgres:catalog': freshCatalog,
  'allocations:bots': {},
  'routes:ipv4': [],
  'token-owners:bots': {},
  'kept-secrets:hello-bot': { token: 1 },
  'free-capacity:host': { totalMB: 2000, memoryMB: 1000, diskMB: 9000 },
  'image:botgarden/hello-bot:abc': true,
  'nginx:config': { current: true, whole: true, inForce: true },
  'webhook:hello-bot https://api.telegram.org ask': { mark: '', answer: 'not asked' },
  'webhook:hello-bot https://api.telegram.org trust': { mark: '', answer: 'not asked' },
  'releases:bots': [],
  'releases:moved': [],
}

/** A host where the bot has number 1 and a version of it serves, which differs from `spec` in what is given. */
export function served(more: Partial<Spec> = {}, secrets: Record<string, string> = {}) {
  const release = { id: '20261124-120000-abc', spec: { ...spec, ...more }, colour: 'blue', secrets, by: 'ops@laptop' }
  return {
    'text:/var/lib/botgarden/bots/hello-bot/current.json': JSON.stringify(release),
    'allocations:bots': { 'hello-bot': 1 },
    [tokenFile]: { type: 'file' },
  }
}

/** The resources of bot.ts, which has something to release, or of site.ts, which has not. */
export function resourcesOf(given: Deployment | undefined, more: object = {}, place: object = {}) {
  const role = given === undefined ? bot : botRole(new Map([['hello-bot', given]]))
  return role.resources(v.parse(bot.vars, more), facts, { ...host, ...place })
}

/** What these plan but for folders, with these differences from a bare host. */
export function plan(given: Deployment | undefined, state: Record<string, unknown> = {}): string[] {
  return planOf(resourcesOf(given), { ...bare, ...state }).filter((line) => !line.startsWith('directory:'))
}
