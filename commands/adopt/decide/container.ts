import { looksLikeToken } from '../../../roles/bot/spec/references.ts'
import { commandOf, textOf } from '../read/command-line.ts'
import type { ComposeService } from '../read/compose-service.ts'
import type { DockerImage } from '../read/dockerfile.ts'
import type { Found, Note } from '../read/finding.ts'
import type { Entry } from './entry.ts'
import { interpolated } from './interpolate.ts'
import { looksSecret } from './names.ts'
import type { Meant } from './variables.ts'
import type { Delivery } from './webhook.ts'

/** Where the bot listens, and the path that says that it is ready. */
export function portAndHealth(
  service: ComposeService | undefined,
  image: DockerImage | undefined,
  variables: readonly Meant[],
  { mode }: Delivery,
  inCode: readonly Found<number>[],
): Entry[] {
  const health = healthIn(service?.healthcheck) ?? healthIn(image?.healthcheck)
  const listens = variables
    .filter(({ meaning, value = '' }) => meaning === 'listen.port' && /^[1-9]\d{1,4}$/.test(value))
    .map(({ value, from }) => ({ value: Number(value), from }))
  const open = (service?.ports ?? []).map(({ value, from }) => ({ value: value.port, from }))
  const said = [
    ...(health?.port === undefined ? [] : [{ value: health.port, from: health.from }]),
    ...listens,
    ...open,
    ...(image?.ports ?? []),
    ...inCode,
  ]
  // A bot that polls may serve that path, or only with a setting that nobody has made: it would never count as ready.
  const polls = mode.value === 'polling'
  const [port] = polls && health === undefined ? [] : said
  const entry = (key: string, value: unknown, why: string) => ({
    key,
    value,
    why,
    ...(polls && { optional: true as const }),
  })
  return [
    ...(port === undefined ? [] : [entry('port', port.value, port.from)]),
    ...(health === undefined
      ? []
      : [entry('health', health.path, `${health.from}${polls ? '; if it serves this while it polls' : ''}`)]),
  ]
}

/** With the port that a proxy names, which is right even where updates are polled for. */
export function withPort(entries: readonly Entry[], port: Found<number> | undefined): readonly Entry[] {
  if (port === undefined || entries.some(({ key, optional }) => key === 'port' && !optional)) return entries
  return [{ key: 'port', value: port.value, why: port.from }, ...entries.filter(({ key }) => key !== 'port')]
}

/** The path that a check by HTTP asks for, on the bot's own address. */
export function healthIn(
  check: Found<string> | undefined,
): { path: string; port: number | undefined; from: string } | undefined {
  const [, port, path] =
    /https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(\d+))?(\/[\w./~-]+)/.exec(check?.value ?? '') ?? []
  if (check === undefined || path === undefined) return undefined
  return { path, port: port === undefined ? undefined : Number(port), from: check.from }
}

/** Limits as a compose file writes them: 512M, 0.5G, 536870912. */
export function limitsIn(service: ComposeService | undefined): Entry[] {
  const memory = service?.memory === undefined ? undefined : megabytesIn(service.memory.value)
  const cpus = service?.cpus
  return [
    ...(memory === undefined || memory < 1
      ? []
      : [{ key: 'memory', value: `${memory}m`, why: service?.memory?.from ?? '' }]),
    ...(cpus === undefined || !(cpus.value >= 0.05) ? [] : [{ key: 'cpus', value: cpus.value, why: cpus.from }]),
    ...(service?.init ? [{ key: 'init', value: true, why: service.from }] : []),
  ]
}

function megabytesIn(size: string): number | undefined {
  const [, number = '', unit = 'b'] = /^(\d+(?:\.\d+)?)\s*([kmg]?)i?b?$/i.exec(size.trim()) ?? []
  if (number === '') return undefined
  const factor = { k: 1 / 1024, m: 1, g: 1024 }[unit.toLowerCase()] ?? 1 / 1024 / 1024
  return Math.ceil(Number(number) * factor)
}

/** What the container runs: only where that is not what the image runs by itself. */
export function commandIn(
  service: ComposeService | undefined,
  image: DockerImage | undefined,
  start: Found<string> | undefined,
  known: ReadonlyMap<string, string>,
): { entries: Entry[]; notes: Note[] } {
  const fill = (said: Found<string | readonly string[]> | undefined) =>
    said === undefined ? [] : commandOf(said.value).map((word) => interpolated(word, known))
  const { entrypoint, command } = service ?? {}
  if (entrypoint !== undefined && image?.entrypoint !== undefined)
    return {
      entries: [],
      notes: [
        `${entrypoint.from}: runs ${textOf(entrypoint.value)} instead of the ENTRYPOINT of ${image.entrypoint.from}: "command:" follows an ENTRYPOINT here, so take it out of the Dockerfile, and set "command:"`,
      ],
    }
  const words = [...fill(entrypoint), ...fill(command)]
  if (
    words.some((word) => looksLikeToken(word) || looksSecret(word)) ||
    /\$\{?\w*(TOKEN|PASS|SECRET|KEY)/.test(`${textOf(entrypoint?.value)} ${textOf(command?.value)}`)
  )
    return {
      entries: [],
      notes: [
        `${(entrypoint ?? command)?.from}: has a secret among its words, which everybody on the host could read: have the bot read it from a variable, and set "command:" without it`,
      ],
    }
  if (words.length > 0)
    return { entries: [{ key: 'command', value: words, why: (entrypoint ?? command)?.from ?? '' }], notes: [] }
  if (image === undefined || image.command !== undefined || image.entrypoint !== undefined)
    return { entries: [], notes: [] }
  if (start !== undefined) {
    const why = `${image.file} has no CMD; ${start.from}`
    return { entries: [{ key: 'command', value: commandOf(start.value), why }], notes: [] }
  }
  return { entries: [], notes: [`${image.file} has no CMD: say what the bot runs by "command:"`] }
}
