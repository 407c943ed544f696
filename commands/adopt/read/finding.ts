/** What was read, and where: `docker-compose.yml:12`. */
export interface Found<Value> {
  readonly value: Value
  readonly from: string
}

/** A variable that the bot reads, as an example file or a compose file shows it. `value` is undefined where none is shown. */
export interface Variable {
  readonly name: string
  readonly value: string | undefined
  readonly from: string
  /** The code has no default for it. */
  readonly required?: true
}

/** Something that could not be read or mapped, as a sentence with what to do. */
export type Note = string

export function at(file: string, line: number): string {
  return `${file}:${line}`
}

/** No person writes a longer line; it would be searched for a long time. */
const maxLine = 4000

/** The lines of a text with their numbers, which begin at 1. One that is too long is empty. */
export function numbered(text: string): readonly (readonly [line: string, number: number])[] {
  return text.split(/\r?\n/).map((line, i) => [line.length > maxLine ? '' : line, i + 1])
}
