import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

/** A copy of the tree in which tests can be run on changed files. */
export interface Scratch {
  readonly folder: string
  readonly read: (file: string) => string
  readonly write: (file: string, content: string) => void
  readonly fails: (tests: readonly string[]) => Promise<string | undefined>
  /** Runs a test file, and has V8 count in this folder what it runs; how it fails, if it does. */
  readonly counts: (test: string) => Promise<{ failure: string | undefined; folder: string }>
  readonly forget: (folder: string) => void
  readonly remove: () => void
}

/** A test that says nothing for so long hangs: every test that ends says so. */
const silence = 60_000

const running = new Set<ChildProcess>()

/** The packages are the checkout's; everything else is copied, and what is ignored is left. */
export function scratchOf(root: string): Scratch {
  const folder = mkdtempSync(join(tmpdir(), 'botgarden-mutants-'))
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  for (const file of list.toString().split('\0').filter(Boolean))
    cpSync(join(root, file), join(folder, file), { verbatimSymlinks: true })
  // Not a link to the whole: what Node and the tests keep in .cache is the copy's own.
  mkdirSync(join(folder, 'node_modules'))
  for (const name of readdirSync(join(root, 'node_modules')).filter((name) => name !== '.cache'))
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))

  return {
    folder,
    read: (file) => readFileSync(join(folder, file), 'utf8'),
    write: (file, content) => writeFileSync(join(folder, file), content),
    fails: (tests) => firstFailure(folder, join(root, 'node_modules'), tests),
    counts: async (test) => {
      const counted = mkdtempSync(join(folder, 'node_modules/.counted-'))
      const failure = await firstFailure(folder, join(root, 'node_modules'), [test], { NODE_V8_COVERAGE: counted })
      return { failure, folder: counted }
    },
    forget: (counted) => rmSync(counted, { recursive: true }),
    remove: () => {
      // Whatever runs in the copy ends with this.
      for (const child of running) child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/**
 * A changed script may remove any file and signal any process. So it sees a machine of its own: no processes but its own
 * (all of which end with it), nothing to write to but the copy and an empty /tmp, no socket of any service in /run.
 */
const confined = `
  set -e
  mount --make-rprivate /
  mount -t tmpfs tmpfs /mnt
  mkdir /mnt/copy /mnt/packages
  mount --bind "$0" /mnt/copy
  mount --bind "$1" /mnt/packages
  mount -o remount,bind,ro /mnt/packages
  mount -o remount,bind,ro /
  mount -t tmpfs tmpfs /tmp
  mount -t tmpfs tmpfs /run
  mkdir -p "$0" "$1"
  mount --bind /mnt/copy "$0"
  mount --bind /mnt/packages "$1"
  umount -R /mnt
  cd "$0"
  shift
  "$@"`

/** The first of these test files that fails, and how; nothing if all of them pass. */
async function firstFailure(
  folder: string,
  packages: string,
  tests: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  if (tests.length === 0) return undefined
  const pattern = `^(${tests.map((test) => test.replace(/^test\//, '').replaceAll('.', String.raw`\.`)).join('|')})$`
  const child = spawn(
    'unshare',
    [
      ...['--mount', '--pid', '--fork', '--mount-proc', '--kill-child'],
      ...(process.getuid?.() === 0 ? [] : ['--map-root-user']),
      ...['sh', '-c', confined, folder, packages],
      ...[process.execPath, join(folder, 'node_modules/uvu/bin.js'), 'test', pattern, '--no-color', '--bail'],
    ],
    {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...more, CI: 'true', PATH: `${join(folder, 'node_modules/.bin')}:${process.env.PATH}` },
    },
  )
  running.add(child)
  let output = ''
  let hangs = false
  const end = () => {
    hangs = true
    child.kill('SIGKILL')
  }
  let timer = setTimeout(end, silence)
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += data
      clearTimeout(timer)
      timer = setTimeout(end, silence)
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  running.delete(child)
  clearTimeout(timer)
  return code === 0 ? undefined : reasonIn(stripVTControlCharacters(output), hangs)
}

function reasonIn(output: string, hangs: boolean): string {
  const file = output.match(/^(\S+\.test\.ts)$(?![\s\S]*^\S+\.test\.ts$)/m)?.[1]
  const name = output.match(/^ {3}FAIL .*?"(.*)"$/m)?.[1]
  if (hangs) return `${file ?? 'loading'}: hangs`
  if (file !== undefined) return name === undefined ? `${file}: ended early` : `${file}: ${name}`
  return `loading: ${output.match(/^\w*Error.*$/m)?.[0] ?? output.trim().split('\n').at(-1)}`
}
