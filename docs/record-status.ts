// Pictures of what status.ts shows of a VPS of the sandbox with a few bots, one of which needs a person: `node docs/record-status.ts`.
// It writes status.svg, the screen of a terminal, and the page of --html as status-light.svg and status-dark.svg.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ensureBackupKey } from '../sandbox/backup-key.ts'
import { freshVps, inVps, removeVps, telegramControlUrl } from '../sandbox/index.ts'
import { telegramAt } from '../sandbox/telegram/client.ts'
import { openBrowser } from '../test/support/chromium/browser.ts'
import { ensureChromium } from '../test/support/chromium/install.ts'
import { inventoryOf, run } from '../test/support/runner.ts'
import { onTerminal, screenAt } from '../test/support/terminal.ts'
import { pagePicture } from './page-picture.ts'
import { pictureOf } from './picture.ts'

const host = 'demo'
const root = resolve(import.meta.dirname, '..')
const size = { columns: 118, rows: 40 }
const pageWidth = 1000
const say = (line: string) => void process.stdout.write(`${line}\n`)
const folder = mkdtempSync(join(tmpdir(), 'botgarden-status-'))

const bots = {
  'hello-bot': { host, source: 'bots/hello-bot' },
  'news-bot': { host, source: 'test/support/console-bot' },
  'landing-page': { host, source: 'test/bots/landing-page' },
}
const file = inventoryOf(
  host,
  {
    bot: { telegram: 'http://telegram.sandbox:8081', settle: 2 },
    nginx: { telegram: ['10.212.0.0/16'] },
    certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
    backups: { recipients: ['.sandbox/backup-recipient.txt'], local: folder },
  },
  { hosts: { [host]: { domain: `${host}.sandbox` } }, bots },
)
// The notes of a check are read by the status of the same user.
const env = { XDG_CACHE_HOME: folder }

say('booting a bare VPS')
await freshVps(host)
try {
  await fill()
  const page = join(folder, 'status.html')
  const args = [join(root, 'node_modules/zx/build/cli.js'), 'playbooks/status.ts', '-i', file, '--html', page]
  const recording = await onTerminal(args, { ...size, env })
  if (recording.code !== 3) throw new Error(`status.ts ended with ${recording.code}`)
  const events = recording.events.map(([at, text]) => [at, scrubbed(text)] as const)
  const screen = await screenAt({ ...recording, events: [[0, '$ npx zx playbooks/status.ts\r\n'], ...events] })
  write('status.svg', pictureOf(screen, size.columns, 'status.ts on a terminal'))
  const html = scrubbed(readFileSync(page, 'utf8'))
  const height = await heightOf(html)
  for (const theme of ['light', 'dark'] as const)
    write(`status-${theme}.svg`, pagePicture(html, theme, { width: pageWidth, height }))
} finally {
  await removeVps(host)
  rmSync(folder, { recursive: true })
}

/** The host with its bots, some updates, a backup, and two things that need a person. */
async function fill(): Promise<void> {
  await ensureBackupKey()
  const telegram = telegramAt(await telegramControlUrl())
  const called = (name: string) => `${host}-${name}`
  const tokens: Record<string, string> = {}
  for (const name of ['hello-bot', 'news-bot'])
    tokens[`${name.toUpperCase().replaceAll('-', '_')}_TOKEN`] = (await telegram.ensureBot(called(name))).token
  for (const playbook of [['site'], ['bot', '--all'], ['backup'], ['site', '--check']]) {
    say(playbook.join(' '))
    const [name, ...more] = playbook
    const { code, stderr } = await run([`playbooks/${name}.ts`, '-i', file, ...more], { ...tokens, ...env })
    if (code !== 0) throw new Error(`${name}.ts ended with ${code}:\n${stderr}`)
  }
  for (let chat = 1; chat <= 40; chat++) await telegram.act(called('hello-bot'), { chat, text: '/start' })
  await inVps(host, `docker kill $(docker ps -q --filter name=news-bot.worker)`)
  await inVps(host, 'echo linux-image-amd64 >/run/reboot-required.pkgs; touch /run/reboot-required')
}

/** Without what is of this machine alone. */
function scrubbed(text: string): string {
  return text.replaceAll(file, 'inventory/production.yaml').replaceAll(/ssh -F \S+ /g, 'ssh ')
}

function write(name: string, text: string): void {
  if ([root, tmpdir()].some((path) => text.includes(path))) throw new Error(`${name} names a path of this machine`)
  writeFileSync(join(import.meta.dirname, name), text)
  say(`wrote docs/${name}`)
}

async function heightOf(html: string): Promise<number> {
  await ensureChromium(say)
  const browser = await openBrowser({}, [])
  try {
    const page = await browser.open('https://status.example/', html)
    await page.emulate({ width: pageWidth, dark: false })
    return await page.value<number>('document.documentElement.scrollHeight')
  } finally {
    await browser.close()
  }
}
