import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { botName, domain, hostName, sshAddress } from '../../lib/inventory/file-schema.ts'
import { aliasesIn } from '../../lib/ssh/aliases.ts'
import { UsageError } from '../../lib/std/errors.ts'
import { Secret } from '../../lib/std/secret.ts'
import { isToken, tokenVariable } from '../../roles/bot/token.ts'
import type { Known } from './known.ts'
import type { Prompt, Question } from './prompt.ts'

export interface Answers {
  /** What the inventory calls the host. */
  readonly name: string
  /** An alias of ssh_config, or `user@host:port`. */
  readonly ssh: string
  /** '': it has none. */
  readonly domain: string
  readonly email: string
  readonly bot: string
  /** undefined: it is given already, as the inventory or `.env` says. */
  readonly token: Secret | undefined
}

type Given = ReadonlyMap<string, readonly string[]>
type Name = 'host' | 'user' | 'domain' | 'email' | 'bot'

const faultIn = (schema: v.GenericSchema<string>) => (text: string) => {
  const [issue] = v.safeParse(schema, text).issues ?? []
  if (issue === undefined) return undefined
  return issue.type === 'max_length' ? `at most ${issue.requirement} characters long` : issue.message
}
const orNone = (fault: (text: string) => string | undefined) => (text: string) =>
  text === '' || text === 'none' ? undefined : fault(text)

const questions: Readonly<Record<Name, Question>> = {
  host: { message: 'The address of the VPS, or an alias of your ssh_config', fault: faultIn(sshAddress) },
  user: {
    message: 'Who logs in: root, or a user with sudo without a password',
    initial: 'root',
    fault: (text) => (/^\w[\w.+-]*$/.test(text) ? undefined : 'the name of a user'),
  },
  domain: {
    message: 'The domain whose A record leads to it (empty: none)',
    placeholder: 'bots.example.org',
    fault: orNone(faultIn(domain)),
  },
  email: {
    message: 'Where the certificate authority may write to (empty: nowhere)',
    placeholder: 'ops@example.org',
    fault: orNone(faultIn(v.pipe(v.string(), v.email('an e-mail address')))),
  },
  bot: { message: 'What the first bot is called', initial: 'hello-bot', fault: faultIn(botName) },
}

/**
 * The answers: from the flags, else from a person, else as they were the last time. Throws a `UsageError` that names every flag
 * that is missing or wrong.
 */
export async function answersOf(
  given: Given,
  knownOf: (name: string) => Known,
  prompt: Prompt | undefined,
  sshConfig: string | undefined,
): Promise<Answers> {
  const faults: string[] = []
  const name = given.get('host-name')?.[0] ?? knownOf('').onlyHost ?? 'vps1'
  const wrongName = faultIn(hostName)(name)
  if (wrongName !== undefined) faults.push(`--host-name: should be ${wrongName}, found "${name}"`)
  const known = knownOf(name)

  const answer = async (which: Name, standard?: string): Promise<string> => {
    const question = questions[which]
    const said = given.get(which)?.[0]?.trim()
    const fault = said === undefined ? undefined : question.fault(said)
    if (fault !== undefined) faults.push(`--${which}: should be ${fault}, found "${said}"`)
    if (said !== undefined) return said === 'none' ? '' : said
    const initial = known[which] ?? standard
    if (prompt === undefined || faults.length > 0) {
      if (initial === undefined)
        faults.push(`--${which} is missing: ${question.message.replace(/^\w/, (letter) => letter.toLowerCase())}`)
      return initial ?? ''
    }
    const typed = await prompt.text({ ...question, ...(initial !== undefined && { initial }) })
    return typed === 'none' ? '' : typed
  }

  const host = await answer('host')
  const needsUser = !host.includes('@') && !aliasesIn(sshConfig).includes(host)
  if (!needsUser && host.includes('@') && given.has('user')) faults.push('--user: --host names one already')
  const user = needsUser || given.has('user') ? await answer('user', 'root') : ''
  const domainName = await answer('domain')
  const isWithout = domainName === '' && !faults.some((line) => line.startsWith('--domain is missing'))
  const email = isWithout ? '' : await answer('email')
  const bot = await answer('bot')
  const hasToken = known.hasToken(bot)
  const token = await tokenOf(given, bot, hasToken, faults.length > 0 ? undefined : prompt, faults)
  if (faults.length > 0) throw new UsageError(told(faults, prompt !== undefined))
  return { name, ssh: user === '' ? host : `${user}@${host}`, domain: domainName, email, bot, token }
}

async function tokenOf(
  given: Given,
  bot: string,
  hasToken: boolean,
  prompt: Prompt | undefined,
  faults: string[],
): Promise<Secret | undefined> {
  const variable = tokenVariable(bot)
  const path = given.get('token-file')?.[0]
  const said = path === undefined ? process.env[variable]?.trim() : contentOf(path, faults)
  if (said !== undefined && said !== '') {
    // A token that is cut short is a secret all the same.
    const token = new Secret(said)
    if (!isToken(said))
      faults.push(
        `${path === undefined ? variable : `--token-file ${path}`}: is not a bot token: BotFather gives tokens like 123456789:ABC…`,
      )
    return token
  }
  if (prompt === undefined) {
    if (!hasToken)
      faults.push(
        `--token-file is missing: a file with the token of the bot, or set ${bot === '' ? 'NAME_TOKEN' : variable}`,
      )
    return undefined
  }
  const typed = await prompt.secret({
    message: `The token of ${bot}, from BotFather${hasToken ? ' (empty: it stays as it is)' : ''}`,
    fault: (text) => (isToken(text) || (hasToken && text === '') ? undefined : 'a token like 123456789:ABC…'),
  })
  return typed === '' ? undefined : new Secret(typed)
}

function contentOf(path: string, faults: string[]): string | undefined {
  try {
    const text = readFileSync(path === '-' ? 0 : path, 'utf8').trim()
    if (text === '') faults.push(`--token-file ${path}: is empty`)
    return text
  } catch (error) {
    faults.push(`--token-file ${path}: cannot be read: ${(error as Error).message}`)
    return undefined
  }
}

function told(faults: readonly string[], asked: boolean): string {
  const missing = faults.some((line) => line.includes(' is missing'))
  return [
    ...faults,
    ...(missing && !asked ? ['there is no terminal to ask on: give each answer by its flag'] : []),
    'see: npx zx playbooks/init.ts --help',
  ].join('\n')
}
