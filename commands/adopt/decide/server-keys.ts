import type { Found } from '../read/finding.ts'
import type { Repository } from '../read/repository.ts'
import type { Project } from '../read/survey.ts'
import type { Entry } from './entry.ts'
import type { Engine } from './servers.ts'
import type { Services } from './services.ts'
import type { Meant } from './variables.ts'

export function databaseKey(
  hasDatabase: boolean,
  engine: Found<Engine> | undefined,
  tcp: boolean,
  connections: Found<number> | undefined,
  init: Found<string> | undefined,
): Entry {
  if (!hasDatabase)
    return {
      key: 'database',
      value: false,
      why: engine === undefined ? 'nothing says that it has one' : `${engine.value}: ${engine.from}`,
    }
  const needs = {
    ...(tcp && { tcp: true }),
    ...(connections !== undefined && { connections: connections.value }),
    ...(init !== undefined && { init: init.value }),
  }
  const why = [engine?.from, tcp ? 'reached as a host with a port' : undefined, connections?.from, init?.from].filter(
    (each) => each !== undefined,
  )
  return { key: 'database', value: Object.keys(needs).length === 0 ? true : needs, why: why.join('; ') }
}

/** The size of the pool, where it is more than the four that every bot may open. */
export function connectionsIn(variables: readonly Meant[], { python, node }: Project): Found<number> | undefined {
  const numberOf = (test: RegExp) =>
    variables.find(({ name, value = '' }) => test.test(name) && /^\d{1,2}$/.test(value))
  const size = numberOf(/POOL_(SIZE|MAX(_SIZE)?)$|MAX_(POOL_SIZE|CONNECTIONS)$/)
  const more = numberOf(/MAX_OVERFLOW$/)
  const total = Number(size?.value ?? 0) + Number(more?.value ?? 0)
  if (size !== undefined && total > 4)
    return {
      value: Math.min(total, 20),
      from: `${size.from}${total > 20 ? `, which has ${total}: a small host has 60 for all` : ''}`,
    }
  const asyncpg = python?.dependencies.get('asyncpg')
  if (
    asyncpg !== undefined &&
    !['sqlalchemy', 'sqlmodel', 'tortoise-orm'].some((name) => python?.dependencies.has(name))
  )
    return { value: 10, from: `the pool of asyncpg opens ten at once: ${asyncpg}` }
  const pg = node?.dependencies.get('pg')
  return pg === undefined ? undefined : { value: 10, from: `the pool of pg: ${pg}` }
}

/** A server that writes to a disk elsewhere keeps what it holds here as well. */
export function cacheKey({ known }: Services): Entry {
  const found = known.find(({ kind }) => kind === 'cache')
  const persists = found?.service.volumes.some(({ value }) => /data/.test(value.target)) === true
  return {
    key: 'cache',
    value: persists ? { server: 'valkey', persist: true } : 'valkey',
    why: found === undefined ? 'variables for Redis' : `${found.service.from}${persists ? ', with a volume' : ''}`,
  }
}

/** SQL that the image of PostgreSQL runs when its disk is new. */
export function initScript({ known }: Services, repository: Repository, prefix: string): Found<string> | undefined {
  const postgres = known.find(({ kind }) => kind === 'postgres')?.service
  for (const { value, from } of postgres?.volumes ?? []) {
    if (!value.target.startsWith('/docker-entrypoint-initdb.d')) continue
    const path = (value.source ?? '').replace(/^\.\//, '').replace(/\/$/, '')
    const scripts = repository.files.filter(
      (file) => file === path || (file.startsWith(`${path}/`) && !file.slice(path.length + 1).includes('/')),
    )
    const [script] = scripts
    if (script?.endsWith('.sql') && scripts.length === 1 && script.startsWith(prefix))
      return { value: script.slice(prefix.length), from }
  }
  return undefined
}
