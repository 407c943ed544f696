import { parse } from '@babel/parser'

interface Node {
  readonly type: string
  readonly start: number
  readonly loc: { readonly start: { readonly line: number } }
}

/** A text that is tagged with `sh` in a source: its line, and the text between its values. */
export interface Template {
  readonly line: number
  readonly parts: readonly string[]
}

export function templatesIn(source: string): Template[] {
  const { program } = parse(source, { sourceType: 'module', plugins: ['typescript'] })
  return [...nodesIn(program)].filter(isShell).map(({ loc, quasi }) => ({
    line: loc.start.line,
    parts: quasi.quasis.map(({ value }) => value.raw.replace(/\\([`$])/g, '$1')),
  }))
}

/** Whether this text was made from the template. */
export function isIn(text: string, { parts }: Template): boolean {
  let at = 0
  return parts.every((part) => {
    const found = text.indexOf(part, at)
    at = found + part.length
    return found >= 0
  })
}

interface Tagged extends Node {
  readonly quasi: { readonly quasis: readonly { readonly value: { readonly raw: string } }[] }
}

function isShell(node: Node): node is Tagged {
  return node.type === 'TaggedTemplateExpression' && (node as unknown as { tag: { name?: string } }).tag.name === 'sh'
}

function* nodesIn(value: unknown): Generator<Node> {
  if (typeof value !== 'object' || value === null) return
  if ('type' in value && 'loc' in value) yield value as Node
  for (const child of Object.values(value)) yield* nodesIn(child)
}
