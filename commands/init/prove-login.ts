import { type Connection, connect } from '../../lib/ssh/connection.ts'
import { type OfferedKey, offeredKey, trustKey } from '../../lib/ssh/host-key.ts'
import { UnknownHostKey } from '../../lib/ssh/login-failure.ts'
import { refuseUnsupported } from '../../lib/ssh/read-facts.ts'
import type { Target } from '../../lib/ssh/ssh-arguments.ts'
import { ConnectError, UsageError } from '../../lib/std/errors.ts'
import type { Prompt } from './prompt.ts'

interface Login {
  readonly target: Target
  /** What the host key must be: as the operator was told elsewhere. */
  readonly fingerprint: string | undefined
  readonly prompt: Prompt | undefined
  readonly say: (line: string) => void
}

/**
 * Logs in, which proves the host key, the login, sudo and the operating system. A key that ssh has never seen is shown first, and
 * kept once it was compared; without that nothing is sent to the host.
 */
export async function provenLogin({ target, fingerprint, prompt, say }: Login): Promise<Connection> {
  const connection = await opened()
  try {
    refuseUnsupported(connection.facts)
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }

  async function opened(): Promise<Connection> {
    try {
      if (fingerprint !== undefined) compare(await offeredKey(target))
      return await connect(target, say)
    } catch (error) {
      if (!(error instanceof UnknownHostKey) || error.offered === undefined) throw error
      await accept(error.offered)
      return connect(target, say)
    }
  }

  function compare(key: OfferedKey | undefined): void {
    if (key === undefined || fingerprint === undefined || key.fingerprint === fingerprint) return
    throw new ConnectError(
      `${target.name}: its host key is not the one of --fingerprint: it shows ${key.fingerprint} (${key.type})\nit is another host, the fingerprint is that of another key of it, or the connection is intercepted`,
    )
  }

  async function accept(key: OfferedKey): Promise<void> {
    compare(key)
    const shows = `${target.name} shows the host key ${key.fingerprint} (${key.type}), which ssh has never seen`
    const compareIt = `compare it with what the provider shows, or with the host's own console: ssh-keygen -lf /etc/ssh/ssh_host_${key.type.toLowerCase()}_key.pub`
    if (fingerprint === undefined) {
      if (prompt === undefined)
        throw new UsageError(`${shows}\n${compareIt}\nif it is the same: --fingerprint ${key.fingerprint}`)
      say(`${shows}\n${compareIt}`)
      if (!(await prompt.yes('Is it the same?'))) throw new UsageError('not done: the host key was not accepted')
    }
    say(`${target.name}  host key ${key.fingerprint} (${key.type}) added to ${await trustKey(target, key)}`)
  }
}
