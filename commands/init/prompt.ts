import { shown, streams } from '../../lib/std/output.ts'

export interface Question {
  readonly message: string
  /** What stands there already. */
  readonly initial?: string
  readonly placeholder?: string
  /** What is wrong with an answer. */
  readonly fault: (answer: string) => string | undefined
}

/** A person at a terminal. */
export interface Prompt {
  text(question: Question): Promise<string>
  /** What is typed is not shown. */
  secret(question: Question): Promise<string>
  yes(message: string): Promise<boolean>
}

/** Undefined where there is no terminal to ask on, as in CI. */
export async function terminalPrompt(): Promise<Prompt | undefined> {
  const isCI = !['', '0', 'false'].includes(process.env.CI ?? '')
  if (isCI || !process.stdin.isTTY || !streams.err.isTTY) return undefined
  const { confirm, isCancel, password, text } = await import('@clack/prompts')
  const output = streams.err
  const answered = async <T>(prompt: Promise<T>): Promise<Exclude<T, symbol>> => {
    const answer = await prompt
    return isCancel(answer) ? interrupted() : (answer as Exclude<T, symbol>)
  }
  const validate =
    ({ fault }: Question) =>
    (answer: string | undefined) =>
      fault((answer ?? '').trim())
  return {
    text: async (question) => {
      const { message, initial = '', placeholder = '' } = question
      const options = { message: shown(message), initialValue: shown(initial), placeholder, output }
      return ((await answered(text({ ...options, validate: validate(question) }))) ?? '').trim()
    },
    secret: async (question) =>
      (
        (await answered(password({ message: shown(question.message), output, validate: validate(question) }))) ?? ''
      ).trim(),
    yes: (message) => answered(confirm({ message: shown(message), initialValue: false, output })),
  }
}

/** In raw mode Ctrl-C is a key: it ends this run as it ends any other. */
function interrupted(): Promise<never> {
  process.kill(process.pid, 'SIGINT')
  // A signal keeps no process alive: without something to wait for, this one would end before it comes.
  return new Promise(() => setTimeout(() => {}, 60_000))
}
