import * as assert from 'uvu/assert'
import { quote } from '../../../lib/shell/sh.ts'
import { inVps } from '../../../sandbox/index.ts'

export interface Ended {
  readonly status: number
  /** What it printed on stdout, without white space around it. */
  readonly stdout: string
  /** What it printed on stdout, then on stderr. */
  readonly all: string
}

/** Runs commands in a VPS as root, however they end. */
export function endedIn(host: string): (command: string, seconds?: number) => Promise<Ended> {
  return async (command, seconds) => {
    const { status, stdout, stderr } = await inVps(host, command, { seconds })
    return { status, stdout: stdout.trim(), all: `${stdout}${stderr}` }
  }
}

/** Runs commands in a VPS as root that must succeed, and returns what they print on stdout. */
export function outputIn(host: string): (command: string) => Promise<string> {
  return async (command) => {
    const { status, stdout, stderr } = await inVps(host, command)
    assert.is(status, 0, `${command}: ${stdout}${stderr}`)
    return stdout
  }
}

/** Runs SQL in a database of a VPS's server, as its superuser, however it ends. */
export function sqlIn(host: string): (text: string, database: string) => Promise<Ended> {
  const psql = 'docker exec -i botgarden-postgres psql -XqAt -v ON_ERROR_STOP=1 -U postgres'
  return (text, database) => endedIn(host)(`printf %s ${quote(text)} | ${psql} -d ${database}`)
}
