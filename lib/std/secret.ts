import { inspect } from 'node:util'

const known = new Set<string>()

/** A value that prints as `***` wherever it ends up: text, JSON, a stack, the console. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
    // A value this short would hide innocent text all over the output; no real secret is that short.
    if (value.length >= 6) known.add(value)
  }

  /** The value itself: for the wire only, never for a message. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '***'
  }

  toJSON(): string {
    return '***'
  }

  [inspect.custom](): string {
    return '***'
  }
}

/** The text with every secret of this process replaced, as written, in base64 and URL-encoded: for output that we did not write. */
export function masked(text: string): string {
  let result = text
  // The longest first: a secret that begins another would leave the other's tail to be read.
  const forms = [...known].flatMap(formsOf).sort((one, other) => other.length - one.length)
  for (const form of forms) result = result.replaceAll(form, '***')
  return result
}

function formsOf(value: string): string[] {
  // Output is cut into lines and indented: a key of many lines must not come through line by line.
  const lines = value.split('\n').filter((line) => line.length >= 6)
  const whole = [value, ...lines]
  return whole.flatMap((each) => [
    each,
    encodeURIComponent(each),
    Buffer.from(each).toString('base64'),
    JSON.stringify(each).slice(1, -1),
  ])
}
