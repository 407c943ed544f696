import { isIP } from 'node:net'
import type { Connection } from '../../lib/ssh/connection.ts'
import { settingsOf } from '../../lib/ssh/host-key.ts'
import type { Target } from '../../lib/ssh/ssh-arguments.ts'
import type { Answers } from './answers.ts'
import type { Prompt } from './prompt.ts'
import { addressOf, proveDns } from './prove-dns.ts'
import { provenLogin } from './prove-login.ts'
import { proveReached } from './prove-ports.ts'
import { botOfToken } from './prove-token.ts'

interface Proof {
  readonly answers: Answers
  readonly target: Target
  readonly fingerprint: string | undefined
  readonly prompt: Prompt | undefined
  /** What nginx is going to listen on. */
  readonly ports: readonly number[]
  /** The Bot API. */
  readonly telegram: string
  readonly say: (line: string) => void
}

/**
 * Proves the answers, from ssh to Telegram. Returns what is left to put right, which keeps nothing from being written; throws where
 * an answer is wrong.
 */
export async function prove(proof: Proof): Promise<readonly string[]> {
  const { answers, telegram, say } = proof
  const connection = await provenLogin(proof)
  const left: string[] = []
  try {
    const { osName, user, memoryMiB, address } = connection.facts
    say(
      `${answers.name}  logged in as ${user}${user === 'root' ? '' : ', with sudo'}: ${osName}, ${memoryMiB} MiB, ${address}`,
    )
    left.push(...(await provenOutside(proof, connection)))
  } finally {
    await connection.close()
  }
  if (answers.token === undefined) return left
  const bot = await botOfToken(answers.token, telegram)
  if (bot !== undefined) say(`token  of ${bot}`)
  else left.push(`${telegram} does not answer this machine, so the token is not proven: bot.ts has the host ask`)
  return left
}

async function provenOutside({ answers, target, ports, say }: Proof, connection: Connection): Promise<string[]> {
  const left: string[] = []
  const hostname = (await settingsOf(target)).get('hostname') ?? ''
  const reached = await addressOf(hostname)
  let address = reached
  if (answers.domain !== '') {
    const dns = await proveDns(answers.domain, reached, connection)
    if (dns.fault !== undefined) left.push(dns.fault)
    else say(`dns  ${answers.domain} leads to ${dns.addresses.join(', ')}`)
    if (dns.fault === undefined) address = dns.addresses.find((each) => isIP(each) === 4) ?? dns.addresses[0]
  }
  if (address === undefined) return [...left, `no address to try the ports ${ports.join(' and ')} at`]
  const closed = await proveReached(address, ports, connection)
  if (closed.length === 0) say(`ports  ${ports.join(' and ')} of ${address} can be reached from here`)
  return [...left, ...closed]
}
