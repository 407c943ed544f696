import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'

/** A server in a folder of its own, reached by a socket there, with the settings that decide how fast it is as in production. */
export async function startPostgres(folder: string) {
  const bin = globSync('/usr/lib/postgresql/*/bin').sort().at(-1)
  if (bin === undefined) throw new Error('there is no PostgreSQL server: apt-get install postgresql')
  const data = join(folder, 'data')
  // It refuses to be root.
  const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {}
  if (user.uid !== undefined) chownSync(folder, user.uid, idOf('-g'))
  const options = { ...user, cwd: folder, stdio: 'ignore' as const }
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust'], options)
  const settings = [
    'listen_addresses=',
    `unix_socket_directories=${folder}`,
    'jit=off',
    'wal_level=minimal',
    'max_wal_senders=0',
  ]
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...settings.flatMap((each) => ['-c', each])], options)
  const url = (name: string) => `postgres:///${name}?host=${folder}&user=postgres`
  let count = 0

  async function query(text: string): Promise<void> {
    const client = new Client({ connectionString: url('postgres') })
    await client.connect()
    await client.query(text)
    await client.end()
  }

  for (let tries = 0; ; tries++) {
    try {
      await query('select 1')
      break
    } catch (error) {
      if (tries > 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  return {
    /** The URL of a new, empty one. */
    database: async () => {
      await query(`create database bot${++count}`)
      return url(`bot${count}`)
    },
    stop: async () => {
      server.kill('SIGINT')
      await once(server, 'exit')
    },
  }
}

function idOf(which: '-u' | '-g'): number {
  return Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' }))
}
