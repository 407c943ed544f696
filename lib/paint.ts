import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Colours a text, or leaves it as it is where no colours are wanted. */
export type Paint = (style: Style, text: string) => string

export const plain: Paint = (_, text) => text

/** For what goes to this stream. NO_COLOR wins over FORCE_COLOR, and that over what the stream is. */
export function paintFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Paint {
  if (env.NO_COLOR) return plain
  const forced = env.FORCE_COLOR === undefined ? undefined : !['0', 'false'].includes(env.FORCE_COLOR)
  const coloured = forced ?? (stream.isTTY === true && env.TERM !== 'dumb')
  return coloured ? (style, text) => styleText(style, text, { validateStream: false }) : plain
}
