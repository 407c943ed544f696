import type { Found, Note } from '../read/finding.ts'
import type { CodeFacts } from '../read/source-code.ts'
import type { Entry } from './entry.ts'
import { isListening } from './names.ts'
import type { Meant } from './variables.ts'

/** How updates reach the bot. */
export interface Delivery {
  readonly mode: Found<'webhook' | 'polling'>
  /** It calls setWebhook itself. */
  readonly setsItself: string | undefined
  /** Its path in the container; undefined where it polls. */
  readonly path: Found<string> | undefined
  /** It puts the URL together from a name and a path, so the path is the same outside and inside. */
  readonly buildsUrl: boolean
}

export function deliveryOf(variables: readonly Meant[], code: CodeFacts, bot: string): Delivery {
  const of = (meaning: Meant['meaning']) =>
    variables.filter((each) => each.meaning === meaning && each.shownBy !== 'code')
  const [url] = of('webhook.url')
  const [base] = of('webhook.base').filter(({ name }) => /HOOK/.test(name) || of('webhook.path').length > 0)
  const [path] = [...of('webhook.path'), ...variables.filter(({ meaning }) => meaning === 'webhook.path')]
  const mode = modeOf(
    of('webhook.switch'),
    [url, base, ...of('webhook.secret'), path].filter((each) => each !== undefined),
    code,
  )
  if (mode.value === 'polling') return { mode, setsItself: undefined, path: undefined, buildsUrl: false }
  const buildsUrl = base !== undefined && !hasPath(url?.value)
  return {
    mode,
    setsItself: code.setsWebhook[0] ?? url?.from ?? base?.from,
    path: buildsUrl ? { value: `/tg/${bot}`, from: base.from } : pathOf(url, path),
    buildsUrl,
  }
}

function modeOf(switches: readonly Meant[], hints: readonly Meant[], code: CodeFacts): Found<'webhook' | 'polling'> {
  for (const { name, value = '', from } of switches) {
    const isOn = /^(true|yes|on|1)$/i.test(value)
    if (/polling/i.test(value) || (/POLLING/.test(name) && isOn)) return { value: 'polling', from }
    if (/hook/i.test(value) || (!/POLLING/.test(name) && isOn)) return { value: 'webhook', from }
    if (/^(false|no|off|0)?$/i.test(value)) return { value: /POLLING/.test(name) ? 'webhook' : 'polling', from }
  }
  const [sets] = code.setsWebhook
  const [takes] = code.takesWebhook
  const [polls] = code.polls
  const [hint] = hints
  // What polls and knows nothing else may still have variables that nothing reads.
  if (polls !== undefined && sets === undefined && takes === undefined) return { value: 'polling', from: polls }
  if (hint !== undefined) return { value: 'webhook', from: hint.from }
  if (polls === undefined && (sets ?? takes) !== undefined) return { value: 'webhook', from: sets ?? takes ?? '' }
  return { value: 'polling', from: polls ?? 'nothing says that it has a webhook' }
}

function pathOf(url: Meant | undefined, path: Meant | undefined): Found<string> | undefined {
  if (path?.value !== undefined && /^\/?[\w.~-]+(\/[\w.~-]+)*\/?$|^\/$/.test(path.value))
    return { value: path.value.startsWith('/') ? path.value : `/${path.value}`, from: path.from }
  const [, inUrl] = /^https?:\/\/[^/]+(\/[\w./~-]+)$/.exec(url?.value ?? '') ?? []
  return inUrl === undefined || url === undefined ? undefined : { value: inUrl, from: url.from }
}

function hasPath(url = ''): boolean {
  return /^https?:\/\/[^/]+\/[^/]/.test(url)
}

export function deliveryKeys({ mode, setsItself, path }: Delivery): Entry[] {
  return [
    { key: 'mode', value: mode.value, why: mode.from },
    ...(setsItself === undefined
      ? []
      : [{ key: 'webhook', value: 'bot', why: `it calls setWebhook itself: ${setsItself}` }]),
    ...(path === undefined ? [] : [{ key: 'webhookPath', value: path.value, why: path.from }]),
  ]
}

/** What is not known of a webhook, with what to do. */
export function deliveryNotes(
  { mode, setsItself, path }: Delivery,
  variables: readonly Meant[],
  port: number | undefined,
): Note[] {
  if (mode.value === 'polling') return []
  const isTold = variables.some(({ meaning }) => meaning === 'webhook.url' || meaning === 'webhook.base')
  return [
    ...(setsItself !== undefined && !isTold
      ? [
          `${setsItself}: it calls setWebhook itself, and no variable says where it is reached: have it take the URL from one, and set that to \${webhook.url}`,
        ]
      : []),
    ...(path === undefined
      ? ['the path where it takes updates is not said: "webhookPath:" is /webhook unless you set it']
      : []),
    ...(port === undefined ? ['where it listens is not said: "port:" is 3000 unless you set it'] : []),
  ]
}

/** The value of a variable about where the bot is reached. */
export function baseValue({ value = '' }: Meant): string {
  if (isListening(value) && value !== '') return '0.0.0.0'
  return /^https?:/.test(value) || value === '' ? '${public.url}' : '${public.host}'
}
