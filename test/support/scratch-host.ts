import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Reading } from '../../lib/model/reading.ts'
import type { Script } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { frames } from '../../lib/ssh/framing.ts'
import { countedConnection, facts } from './fake-host.ts'

const scratch = mkdtempSync(join(tmpdir(), 'scratch-host-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
let hosts = 0

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  /** What it printed, in either way. */
  readonly output: string
  /** The programs that it called of those that are stood in for, a line each. */
  readonly calls: readonly string[]
}

interface RunOptions {
  readonly program?: string
  readonly args?: readonly string[]
  /** Is given what it prints, byte for byte. */
  readonly heard?: (bytes: Buffer) => void
}

export type ScratchHost = ReturnType<typeof scratchHost>

/** A connection to such a host. */
export function connectionTo(host: ScratchHost): Connection {
  return {
    facts,
    request: async (script: (nonce: string) => string, { text }: { text?: (bytes: Buffer) => void }) => {
      const { code, stdout } = await host.run(script('N'), { args: [] })
      text?.(Buffer.from(stdout))
      return code
    },
  } as unknown as Connection
}

/** A connection that answers with marks as a host does, so that the engine can read and change it. */
export function framedConnectionTo(host: ScratchHost): Connection {
  return countedConnection(async (script, { mark = () => {}, text = () => {} }, prelude = '') => {
    const receive = frames('N', { mark, text })
    const { code } = await host.run(`${prelude}\n(${script('N')}\n) 2>&1`, { args: [], heard: receive })
    return code ?? 255
  })
}

/** Has what runs in this process find these stand-ins before the programs of this machine. */
export async function withPrograms<T>({ bin, state }: ScratchHost, run: () => Promise<T>): Promise<T> {
  const { PATH, STATE } = process.env
  Object.assign(process.env, { PATH: `${bin}:${PATH}`, STATE: state })
  try {
    return await run()
  } finally {
    process.env.PATH = PATH
    if (STATE === undefined) delete process.env.STATE
    else process.env.STATE = STATE
  }
}

/** Programs that would change this machine, or take their time. */
const harmless: Record<string, string> = {
  // What it is given to has been how open until then.
  chown: `for file; do :; done; stat -c 'was %a' "$file" >>"$STATE/calls" 2>/dev/null || :`,
  sync: '',
  // The clock that waits go by: a second of it is a quarter of a minute, so a few looks are as good as a hundred.
  sleep: `awk -v s="$1" '{ printf "%.2f 0.00\\n", $1 + 15 * s }' /proc/uptime >/proc/uptime.new && mv /proc/uptime.new /proc/uptime`,
  ss: '',
  // As the user who runs the tests, in the folder that would be at /mnt.
  unshare: 'cd "$6" && shift 6 && exec "$@"',
  setpriv: 'while [ "$1" != --no-new-privs ]; do shift; done; shift; exec "$@"',
  systemctl: '',
  // Nothing is waited for here, so a few times are as good as a hundred.
  seq: 'n=1; while [ "$n" -le "$1" ] && [ "$n" -le 4 ]; do echo "$n"; n=$((n + 1)); done',
}

/**
 * A host that is a folder: scripts run in a real sh, with the absolute paths of a host below that folder, and with stand-ins
 * for the programs that would reach beyond it. `programs`: shell text by name, run with the arguments of a call.
 */
export function scratchHost(programs: Record<string, string> = {}) {
  const folder = join(scratch, String(hosts++))
  const [root, bin, state] = [join(folder, 'root'), join(folder, 'bin'), join(folder, 'state')]
  for (const path of [
    bin,
    ...['containers', 'images', 'networks'].map((each) => join(state, each)),
    ...['etc', 'var/lib/botgarden', 'opt', 'run/botgarden', 'usr/lib', 'proc', 'sys/fs/cgroup'].map(rooted),
  ])
    mkdirSync(path, { recursive: true })
  writeFileSync(join(state, 'calls'), '')
  writeFileSync(join(state, 'fails'), '')
  writeFileSync(join(rooted('proc'), 'uptime'), '1000.00 0.00\n')
  for (const name of ['docker', 'curl']) place(name, readFileSync(join(import.meta.dirname, `stand-ins/${name}.sh`)))
  for (const [name, text] of Object.entries({ ...harmless, ...programs })) program(name, text)

  function rooted(path: string): string {
    return join(root, path)
  }

  function place(name: string, content: string | Buffer): void {
    writeFileSync(join(bin, name), content)
    chmodSync(join(bin, name), 0o755)
  }

  /** Has a program of this name do this, when it has told that it was called. */
  function program(name: string, text: string): void {
    place(name, `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>"$STATE/calls"\n${moved(text)}\n`)
  }

  /** The text with the paths of a host replaced by those of its folder. */
  function moved(text: string): string {
    return text.replace(
      /(?<![\w./*?$})-])\/(etc|var\/lib|var\/log|opt|run|sys|usr\/lib|proc)(?=\/(?!\$\$))/g,
      (_, path) => `${root}/${path}`,
    )
  }

  function write(path: string, content: string, mode = 0o644): void {
    mkdirSync(dirname(rooted(path)), { recursive: true })
    writeFileSync(rooted(path), content)
    chmodSync(rooted(path), mode)
  }

  /** A note for the stand-ins: see their files. */
  function note(name: string, content: string): void {
    mkdirSync(dirname(join(state, name)), { recursive: true })
    writeFileSync(join(state, name), content)
  }

  function noted(name: string): string {
    return existsSync(join(state, name)) ? readFileSync(join(state, name), 'utf8').replaceAll(root, '') : ''
  }

  /** A container of docker's stand-in. */
  function container(name: string, { status = 'running', restart = 'always' } = {}): void {
    for (const [key, value] of Object.entries({ status, restart, restarts: '0' }))
      note(`containers/${name}/${key}`, value)
  }

  /** `NAME STATUS RESTART` of each container, in order. */
  function containers(): string[] {
    const all = readdirSync(join(state, 'containers')).sort()
    return all.map((name) => `${name} ${noted(`containers/${name}/status`)} ${noted(`containers/${name}/restart`)}`)
  }

  /** Runs a script as a step of a run is: it ends at its first failing command. */
  function run(
    script: Script | string,
    { program = 'sh', args = ['-e'], heard = () => {} }: RunOptions = {},
  ): Promise<Outcome> {
    writeFileSync(join(state, 'calls'), '')
    const text = moved(typeof script === 'string' ? script : script.text)
    return new Promise((resolve, reject) => {
      const child = spawn(program, [...args], {
        cwd: folder,
        env: {
          PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin`,
          LC_ALL: 'C',
          STATE: state,
          NGINX: rooted('opt/botgarden/nginx'),
        },
        stdio: ['pipe', 'pipe', 'pipe'],
      })
      const said = { stdout: '', output: '' }
      child.stdout.on('data', (chunk: Buffer) => {
        said.stdout += chunk
        said.output += chunk
        heard(chunk)
      })
      child.stderr.on('data', (chunk: Buffer) => {
        said.output += chunk
        heard(chunk)
      })
      child.on('error', reject)
      child.on('close', (code) =>
        resolve({
          code,
          stdout: said.stdout.replaceAll(root, ''),
          output: said.output.replaceAll(root, ''),
          calls: noted('calls').split('\n').filter(Boolean),
        }),
      )
      child.stdin.end(`umask 022\n${text}\n`)
    })
  }

  /** What a reading makes of this host. */
  async function reads<S>({ kind, name }: Reading<S>): Promise<S> {
    const { stdout } = await run(kind.script([name]), { args: [] })
    return kind.parse(stdout, [name]).get(name) as S
  }

  return {
    /** Where its / is. */
    root,
    bin,
    state,
    program,
    reads,
    write,
    note,
    noted,
    container,
    containers,
    run,
    folder: (path: string) => mkdirSync(rooted(path), { recursive: true }),
    there: (path: string) => existsSync(rooted(path)),
    read: (path: string) => readFileSync(rooted(path), 'utf8').replaceAll(root, ''),
    list: (path: string) => (existsSync(rooted(path)) ? readdirSync(rooted(path)).sort() : []),
    mode: (path: string) => (statSync(rooted(path)).mode & 0o7777).toString(8),
    /** A program of the host's own, whose paths are where they are here. */
    install: (path: string, text: string) => write(path, moved(text), 0o755),
    /** Calls that match fail from now on: extended regular expressions. */
    fails: (...patterns: string[]) => note('fails', patterns.map((each) => `${each}\n`).join('')),
  }
}
