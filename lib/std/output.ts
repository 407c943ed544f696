import { visible } from './colour.ts'
import { masked } from './secret.ts'

/** The terminal, or what replaces it in a test: for its size and its colours. Only the functions below write to it. */
export const streams = { out: process.stdout, err: process.stderr } as const

/**
 * Gives a program that an operator has opened on a host the streams of this process as they are: the bytes for a file or a pipe, or
 * the terminal, as ssh does.
 */
export const handedOver = 'inherit' as const

/** Writes a result, as a line of its own. */
export function writeOut(text: string): void {
  streams.out.write(`${shown(text)}\n`)
}

/**
 * A screen for something that is drawn again and again: the terminal's other one, so that what stood there comes back at the end.
 * What is drawn begins at its top left, in the place of what was drawn before.
 */
export function openScreen(): { draw(text: string): void; close(): void } {
  streams.out.write('\x1b[?1049h')
  return {
    draw: (text) => void streams.out.write(`\x1b[H\x1b[2J${shown(text)}\n`),
    close: () => void streams.out.write('\x1b[?1049l'),
  }
}

/** Writes what happens and what went wrong, as a line of its own. */
export function writeErr(text: string): void {
  streams.err.write(`${shown(text)}\n`)
}

/**
 * A text of any origin, as it may be shown to people: without secrets, with control and invisible characters escaped. In
 * JSON it is the same text for a program.
 */
export function shown(text: string): string {
  return visible(masked(text))
}

/** A text of any origin as one line or a part of one: its line feeds are escaped too. */
export function oneLine(text: string): string {
  return text.replaceAll('\n', '\\n')
}
