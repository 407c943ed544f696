import { execFileSync } from 'node:child_process'
import * as v from 'valibot'
import type { HostEntry } from '../../../lib/model/role.ts'
import { watch } from '../../../roles/index.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { scratchHost } from '../../support/scratch-host.ts'

export const token = '7000:the-token-of-the-one-that-alerts'
export const botToken = '7001:the-token-of-the-bot-hello-here'

/** What is sent goes to the file `sent`, a line `--- WHERE` before each; `answer` is what Telegram says to it, `posted` a status of HTTP. */
const curl = `
case "$*" in *http://localhost/config) cat "$STATE/says" 2>/dev/null; exit ;; esac
asked=$STATE/asked
output='' text='' header='' urls=''
while IFS= read -r line; do
  printf '%s\\n' "$line" >>"$asked"
  value=\${line#* = \\"} value=\${value%\\"}
  case \${line%% = *} in
  output) output=$value ;;
  dump-header) header=$value ;;
  data-urlencode) case $value in text@*) text=\${value#text@} ;; esac ;;
  data-binary) text=\${value#@} ;;
  url)
    urls="$urls $value"
    case $value in
    http://docker/containers/*/logs*)
      [ ! -e "$STATE/engine.down" ] || exit 7
      name=\${value#http://docker/containers/botgarden-}
      [ ! -e "$STATE/log.\${name%%/*}" ] || sed 's/^/\\x01\\x00\\x00\\x00\\x00\\x00\\x01\\x31/' "$STATE/log.\${name%%/*}" ;;
    http://docker/containers/json)
      [ ! -e "$STATE/engine.down" ] || exit 7
      cat "$STATE/listing" 2>/dev/null || echo '[]' ;;
    http://docker/containers/*)
      [ ! -e "$STATE/engine.down" ] || exit 7
      name=\${value#http://docker/containers/}
      cat "$STATE/engine/\${name%/json}" 2>/dev/null || echo '{"message":"No such container"}' ;;
    http://docker/tasks*) cat "$STATE/tasks" 2>/dev/null || echo '{"message":"This node is not a swarm manager."}' ;;
    http://docker/events*) [ ! -e "$STATE/engine.down" ] || exit 7; cat "$STATE/events" 2>/dev/null ;;
    */getWebhookInfo)
      of=\${value#*/bot}
      [ -z "$header" ] || printf 'HTTP/1.1 200 OK\\r\\nDate: %s\\r\\n' "$(cat "$STATE/heard" 2>/dev/null || /bin/date -u -d "@$(cat "$STATE/now")" '+%a, %d %b %Y %H:%M:%S GMT')" >"$header"
      header=''
      cat "$STATE/hooks/\${of%/getWebhookInfo}" >"$output" 2>/dev/null || rm -f "$output" ;;
    esac ;;
  esac
done
case $urls in
*sendMessage)
  answer=$(cat "$STATE/answer" 2>/dev/null || echo '{"ok":true}')
  case $answer in *'"ok":true'*) { echo "--- chat"; cat "$text"; } >>"$STATE/sent" ;; esac
  printf %s "$answer" ;;
*deadman*) echo "--- deadman" >>"$STATE/sent" ;;
*alerts*)
  code=$(cat "$STATE/posted" 2>/dev/null || echo 200)
  case $code in 2*) { echo "--- url"; cat "$text"; } >>"$STATE/sent" ;; esac
  printf %s "$code" ;;
esac
:`

/** What it says of a certificate is kept for all hosts of this process: a start takes it 20 ms. */
const openssl = `
[ "$1" != s_client ] || exec cat "$STATE/served"
sum=$(cksum <"$STATE/served")
folder=$STATE/../../openssl
said=$folder/\${sum%% *}.$5.$6.\${7:-}
[ -e "$said" ] || {
  [ -d "$folder" ] || mkdir "$folder"
  code=0
  /usr/bin/openssl "$@" >"$said.new" || code=$?
  printf 'exit %s\\n' "$code" >"$said.code"
  mv "$said.new" "$said"
}
cat "$said"
. "$said.code"`

/** A certificate for a name, as PEM. */
export function certificateFor(name: string, days: number): string {
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /dev/null -days ${days} -subj /CN=${name} -addext subjectAltName=DNS:${name}`
  return execFileSync('openssl', words.split(' '), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}
const certificate = certificateFor('b.example.org', 90)

/** What the kernel has of a firewall that is on. */
export const loaded = `*mangle
:INPUT ACCEPT [1:2]
-A FORWARD -m comment --comment botgarden:1 -j botgarden-forward
*filter
:INPUT DROP [0:0]
-A INPUT -j ufw-before-logging-input
-A INPUT -j ufw-before-input
`

export interface Container {
  readonly status?: string
  readonly health?: string
  readonly restarts?: number
  readonly memory?: boolean
  readonly exit?: number
}

/** A host with the program, and a bot `hello` that is well. */
export function watchedHost(more: object = {}, hostEntry: Partial<HostEntry> = {}) {
  const host = scratchHost({
    curl,
    openssl,
    date: `case $1 in -d) exec /bin/date "$@" ;; esac; read -r now <"$STATE/now"; exec /bin/date -u -d "@$now" "$@"`,
    df: `printf 'Mounted Use%% IUse%%\\n'; cat "$STATE/df"`,
    timeout: 'shift; exec "$@"',
    docker: '[ "$1" != exec ] || cat "$STATE/pair" 2>/dev/null',
    sleep: '[ ! -e "$STATE/slept" ] || sh "$STATE/slept"',
    stat: '[ ! -e "$STATE/inodes" ] || exec cat "$STATE/inodes"',
    'iptables-save': 'exec cat "$STATE/rules4"',
    'ip6tables-save': 'cat "$STATE/rules6" 2>/dev/null',
    systemctl: 'case $1 in is-failed) cat "$STATE/failed" 2>/dev/null ;; esac',
    chronyc: 'cat "$STATE/chrony" 2>/dev/null || echo x,Normal',
  })
  let now = 1_764_000_000
  const vars = v.parse(watch.vars, { chat: 99, token: { env: 'WATCH_TOKEN' }, ...more })
  const resources = watch.resources(vars, facts, { ...entry, domain: 'b.example.org', ...hostEntry })
  for (const { id, wants } of resources.filter((each) => each.id.startsWith('file:/opt/')))
    host.install(id.replace('file:', ''), (wants as { content: string }).content)
  host.write('/etc/botgarden/secrets/watch-token', token, 0o600)
  host.write('/proc/locks', '1: FLOCK  ADVISORY  WRITE 22 00:1a:4711 0 EOF\n')
  host.write('/proc/loadavg', '0.10 0.10 0.10 1/100 1\n')
  host.write('/proc/meminfo', 'MemTotal: 1024000 kB\nMemAvailable: 512000 kB\n')
  host.write('/etc/ufw/after.init', '# botgarden-input\n')
  host.write('/etc/ufw/ufw.conf', 'ENABLED=yes\n')
  host.write('/etc/default/ufw', 'IPV6=yes\n')
  host.note('rules4', loaded)
  host.note('df', '/ 41% 12%\n')
  host.note('served', certificate)
  for (const name of ['postgres', 'nginx']) host.write(`/opt/botgarden/${name}/compose.yaml`, 'x\n')
  const container = (
    name: string,
    { status = 'running', health, restarts = 0, memory = false, exit = 0 }: Container = {},
  ) =>
    host.note(
      `engine/botgarden-${name}`,
      `${JSON.stringify({ Id: `${name}0123456789abcdef`, Name: `/botgarden-${name}`, Config: {}, RestartCount: restarts, State: { Status: status, ExitCode: exit, OOMKilled: memory, ...(health && { Health: { Status: health } }) } })}\n`,
    )
  const hook = (result: object, of = botToken) => host.note(`hooks/${of}`, JSON.stringify({ ok: true, result }))
  const own = { url: 'https://b.example.org/tg/hello', pending_update_count: 0 }
  const bot = (name = 'hello', spec: object = {}, more: object = {}) => {
    host.write(
      `/etc/botgarden/secrets/bots/${name}/token`,
      name === 'hello' ? botToken : `7002:the-token-of-${name}`,
      0o600,
    )
    const record = { id: '1', spec: { mode: 'webhook', webhookPath: '/webhook', ...spec }, colour: 'blue', ...more }
    host.write(`/var/lib/botgarden/bots/${name}/current.json`, `${JSON.stringify(record)}\n`)
  }
  /** What runs besides, and the ports that are published: `NAME PORT PROTOCOL ADDRESS`. */
  const beside = (...lines: readonly string[]) =>
    host.note(
      'listing',
      JSON.stringify(
        lines.map((line) => {
          const [name, port, Type = 'tcp', IP = '0.0.0.0'] = line.split(' ')
          return { Names: [`/${name}`], Ports: port === undefined ? [] : [{ PublicPort: Number(port), Type, IP }] }
        }),
      ),
    )
  bot()
  for (const name of ['hello-blue', 'postgres', 'nginx']) container(name)
  hook(own)

  /** A run, after so many minutes; and what was sent by it, with `--- WHERE` before each message. */
  const run = async (minutes = 1, args: readonly string[] = []) => {
    now += 60 * minutes
    host.note('now', `${now}\n`)
    host.note('sent', '')
    const { code, output, calls } = await host.run(`/opt/botgarden/watch/watch ${args.join(' ')}`, { args: [] })
    return { code, output, calls, sent: host.noted('sent').replaceAll(/^\s+/gm, '').trim() }
  }
  const sent = async (minutes?: number) => (await run(minutes)).sent
  const certified = (pem = certificate) => host.note('served', pem)
  return { ...host, certified, container, beside, hook, own, bot, tick: run, sent, now: () => now }
}
