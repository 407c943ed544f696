// A repository of this machine that the real git fetches by ssh, over a stand-in for ssh: no other protocol is let in.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const root = mkdtempSync(join(tmpdir(), 'botgarden-git-'))
process.once('exit', () => rmSync(root, { recursive: true, force: true }))

export interface GitServer {
  /** Its address for git. */
  readonly address: string
  /** A file that is there once a hook, a filter or the like was run. */
  readonly trace: string
  /** Commits these files, and links to what follows `→`, and returns the commit. */
  commit(files: Readonly<Record<string, string>>): string
  git(...words: string[]): string
  /** Has what runs in this process reach the server, with a configuration of git as an operator may have it. */
  reached<T>(run: () => Promise<T>): Promise<T>
}

export function gitServer(): GitServer {
  const place = mkdtempSync(join(root, 'server-'))
  const [origin, trace] = [join(place, 'origin'), join(place, 'was-run')]
  const program = (path: string, text: string) => {
    mkdirSync(dirname(join(place, path)), { recursive: true })
    writeFileSync(join(place, path), `#!/bin/sh\n${text}\n`)
    chmodSync(join(place, path), 0o755)
  }
  program('ssh', 'for command; do :; done\neval "exec $command"')
  for (const hook of ['post-checkout', 'reference-transaction', 'post-index-change'])
    program(`templates/hooks/${hook}`, `touch ${trace}`)
  writeFileSync(
    join(place, 'config'),
    `[init]\ntemplateDir = ${join(place, 'templates')}\n[core]\nhooksPath = ${join(place, 'templates/hooks')}\n[submodule]\nrecurse = true\n[protocol "file"]\nallow = always\n[filter "lfs"]\nsmudge = touch ${trace}; cat\nprocess = touch ${trace}; false\nrequired = false\n[filter "own"]\nsmudge = touch ${trace}; cat\n`,
  )
  const env = {
    GIT_CONFIG_GLOBAL: join(place, 'config'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_SSH_COMMAND: join(place, 'ssh'),
    GIT_SSH_VARIANT: 'simple',
  }
  // The server is another machine: the operator's settings are not its own.
  const settings = ['user.name=a', 'user.email=a@example.org', 'init.defaultBranch=main', 'protocol.file.allow=always']
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', origin, ...settings.flatMap((each) => ['-c', each]), ...words], {
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
      stdio: 'pipe',
      encoding: 'utf8',
    }).trim()
  mkdirSync(origin)
  git('init', '--quiet')
  // A server may refuse a commit by its number; those of the big ones do not.
  git('config', 'uploadpack.allowReachableSHA1InWant', 'true')
  return {
    address: `ssh://git.example.org${origin}`,
    trace,
    git,
    commit: (files) => {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(origin, path)), { recursive: true })
        rmSync(join(origin, path), { force: true })
        if (text.startsWith('→')) symlinkSync(text.slice(1), join(origin, path))
        else writeFileSync(join(origin, path), text)
      }
      git('add', '-A')
      git('commit', '--quiet', '--allow-empty', '--message', 'x')
      return git('rev-parse', 'HEAD')
    },
    reached: async (run) => {
      const before = { ...process.env }
      Object.assign(process.env, env)
      try {
        return await run()
      } finally {
        for (const name of Object.keys(env)) delete process.env[name]
        Object.assign(process.env, before)
      }
    },
  }
}
