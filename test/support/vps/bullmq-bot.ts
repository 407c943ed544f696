import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { scratchFile } from '../runner.ts'
import { botHost } from './bot-host.ts'

/** The bot of test/bots/grammy-bullmq under the name `queue` on a host of its own, with a worker and a scheduler. */
export function bullmqHost(host: string, others: readonly string[] = []) {
  const name = 'queue'
  const source = resolve(import.meta.dirname, '../../bots/grammy-bullmq')
  const folder = dirname(scratchFile('bullmq-bot', ''))
  const there = botHost(host, [name, ...others])
  const { inside } = there
  delete there.bots['hello-bot']

  const file = (entry: object = {}, { settle = 3, ...more }: { settle?: number; [bot: string]: unknown } = {}) =>
    there.inventory(
      { [name]: { host, source, ...entry }, ...more },
      { domain: `${host}.sandbox` },
      { settle, caFile: '/etc/ssl/certs/ca-certificates.crt' },
    )
  const release = (entry: object = {}, args: readonly string[] = [], more: { settle?: number } = {}) =>
    there.deploy(['--name', name, ...args], file(entry, more))

  /** A source like this bot's, with other keys in its bot.yaml; those that are undefined are left out. */
  const variant = (version: string, keys: object, files: Readonly<Record<string, string>> = {}): string => {
    const copy = join(folder, version)
    mkdirSync(copy, { recursive: true })
    cpSync(source, copy, { recursive: true })
    const manifest = { ...parse(readFileSync(join(source, 'bot.yaml'), 'utf8')), ...keys }
    writeFileSync(join(copy, 'bot.yaml'), stringify(manifest))
    for (const [path, text] of Object.entries(files)) writeFileSync(join(copy, path), text)
    return copy
  }

  const cacheCommand = (words: string) =>
    inside(
      `docker exec botgarden-${name}-cache sh -c 'valkey-cli --no-auth-warning -a "$(sed -n "s/^requirepass //p" /run/secrets/server.conf)" ${words}'`,
    )
  return {
    ...there,
    name,
    file,
    release,
    variant,
    say: (text: string) => there.answer(text, name),
    /** The names of its containers that run, without what all have in common: `-blue`, `.worker-blue`. */
    running: async () => {
      const found = await inside(`docker ps --format '{{.Names}}' | sed -n 's/^botgarden-${name}//p' | sort`)
      return found.split('\n').filter((each) => each !== '' && each !== '-cache')
    },
    /** The containers by their ids, as they are made anew. */
    ids: () => inside(`docker ps --no-trunc --format '{{.Names}} {{.ID}}' | grep '^botgarden-${name}[.-]' | sort`),
    forget: () => cacheCommand('del alive turns'),
    /** The schedulers that have shown that they run, in the order of their signs of life: one that was there alone is there once. */
    schedulers: async () => {
      const found = (await cacheCommand('xrange alive - +')).split('\n').filter((line) => /^[0-9a-f]{12}$/.test(line))
      return found.filter((each, i) => each !== found[i - 1])
    },
    /** How often the job of each second was done. */
    turns: async () => (await cacheCommand('hvals turns')).split('\n').filter(Boolean).map(Number),
  }
}
