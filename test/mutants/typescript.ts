// What can be changed in a TypeScript source. Stryker's instrumenter was tried as the generator: it leaves tagged templates
// (every script here) alone, drops no statement, element or property, changes no number, and brings 78 packages.
import { parse } from '@babel/parser'
import { type Edit, type Mutant, mutated } from './mutant.ts'
import { shellMutants, shellParses } from './shell.ts'

interface Node extends Record<string, unknown> {
  readonly type: string
  readonly start: number
  readonly end: number
}

const swapped: Readonly<Record<string, string>> = {
  '===': '!==',
  '!==': '===',
  '==': '!=',
  '!=': '==',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '&&': '||',
  '||': '&&',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
}

/** Methods whose result may as well be what they were called on. */
const passing =
  /^(filter|sort|toSorted|reverse|toReversed|slice|flat|trim|trimEnd|trimStart|toLowerCase|toUpperCase|replace|replaceAll|padEnd|padStart|concat|repeat)$/
const droppable = /^(Expression|If|ForOf|For|While|Return|Throw|Break|Continue|Try|Switch)Statement$/
/** What is gone at run time, or is no behaviour. */
const passive = /^(TS(?!As|Satisfies|NonNull)|Import|ExportAll|TypeAlias)/

export function typescriptMutants(source: string): Mutant[] {
  return [...nodesIn(tree(source))].flatMap((node) => {
    if (node.type === 'TaggedTemplateExpression') return scriptMutants(node.quasi as Node, source)
    return editsOf(node, source).map((edit) => ({ ...edit, parses: () => isTypescript(mutated(source, edit)) }))
  })
}

/** Those of the text of a script; what is put into it is a word that nothing is known of. */
function scriptMutants({ start, ...quasi }: Node, source: string): Mutant[] {
  const parts = quasi.quasis as Node[]
  const text = parts.map((part, i) => {
    const next = parts[i + 1]
    return source.slice(part.start, part.end) + 'x'.repeat((next?.start ?? part.end) - part.end)
  })
  const parses = (script: string) => shellParses(script.replace(/\\([`$])/g, '$1'))
  const from = start + 1
  return shellMutants(text.join(''), parses).map((each) => ({
    ...each,
    start: each.start + from,
    end: each.end + from,
  }))
}

function isTypescript(source: string): boolean {
  try {
    tree(source)
    return true
  } catch {
    return false
  }
}

function tree(source: string): Node {
  return parse(source, { sourceType: 'module', plugins: ['typescript'] }).program as unknown as Node
}

function* nodesIn(node: Node): Generator<Node> {
  if (passive.test(node.type)) return
  yield node
  for (const [key, value] of Object.entries(node)) {
    // A name, of a property or of a module, is no value.
    if ((key === 'key' && node.computed !== true) || (key === 'source' && node.type.startsWith('Export'))) continue
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* nodesIn(child)
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value
}

function editsOf(node: Node, source: string): Edit[] {
  const textOf = ({ start, end }: Node) => source.slice(start, end)
  const at = (operator: string, { start, end }: { start: number; end: number }, text: string): Edit[] => [
    { operator, start, end, text },
  ]
  const one = (key: string) => node[key] as Node
  const all = (key: string) => (node[key] as (Node | null)[]).filter((each) => each !== null)

  switch (node.type) {
    case 'IfStatement':
    case 'WhileStatement':
    case 'DoWhileStatement':
    case 'ConditionalExpression':
      return at('negate condition', one('test'), `!(${textOf(one('test'))})`)
    case 'LogicalExpression':
      if (node.operator === '??') return at('drop fallback', { start: one('left').end, end: node.end }, '')
      return binary()
    case 'BinaryExpression':
      return String(node.operator) in swapped ? binary() : []
    case 'UnaryExpression':
      return node.operator === '!' || node.operator === '-' ? at('drop sign', node, textOf(one('argument'))) : []
    case 'NumericLiteral':
      return at('number + 1', node, String(Number(node.value) + 1))
    case 'BooleanLiteral':
      return at('swap boolean', node, String(!node.value))
    case 'StringLiteral':
      return node.value === '' ? [] : at('empty string', node, `''`)
    case 'TemplateLiteral':
      return node.end - node.start === 2 ? [] : at('empty string', node, '``')
    case 'RegExpLiteral':
      return anchors(String(node.pattern))
    case 'ArrayExpression':
      return list('array', all('elements'), '[]')
    case 'ObjectExpression':
      return list('object', all('properties'), '{}')
    case 'AssignmentPattern':
      return at('drop default', { start: one('left').end, end: node.end }, '')
    case 'OptionalMemberExpression':
      return node.optional ? at('drop ?.', { start: one('object').end, end: one('property').start }, plain()) : []
    case 'CallExpression':
    case 'OptionalCallExpression':
      return passed()
    case 'ArrowFunctionExpression':
      return one('body').type === 'BlockStatement' ? early() : at('return nothing', span(), ' undefined')
    case 'BlockStatement':
    case 'Program':
      return statements(all('body'))
    case 'SwitchCase':
      return statements(all('consequent'))
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ObjectMethod':
    case 'ClassMethod':
      return early()
    default:
      return []
  }

  function binary(): Edit[] {
    const [left, right, operator] = [one('left'), one('right'), String(node.operator)]
    const start = source.indexOf(operator, left.end)
    return start >= right.start
      ? []
      : at('swap operator', { start, end: start + operator.length }, String(swapped[operator]))
  }

  function statements(list: Node[]): Edit[] {
    return list.flatMap((each) => (droppable.test(each.type) ? at('drop statement', each, ';') : []))
  }

  function early(): Edit[] {
    const start = one('body').start + 1
    return at('return early', { start, end: start }, ' return;')
  }

  function plain(): string {
    return node.computed === true ? '[' : '.'
  }

  /** An expression with the brackets around it, without which an object would become a block. */
  function span(): { start: number; end: number } {
    const before = isNode(node.returnType) ? node.returnType : all('params').at(-1)
    return { start: source.indexOf('=>', before?.end ?? node.start) + 2, end: node.end }
  }

  /** An array or object: empty, and without each of what is in it. */
  function list(kind: string, items: Node[], empty: string): Edit[] {
    if (items.length === 0) return []
    if (items.length === 1) return at(`empty ${kind}`, node, empty)
    const drops = items.flatMap((item, i) => {
      const next = items[i + 1]
      const start = next === undefined ? (items[i - 1] as Node).end : item.start
      return at(kind === 'array' ? 'drop element' : 'drop property', { start, end: next?.start ?? item.end }, '')
    })
    return [...at(`empty ${kind}`, node, empty), ...drops]
  }

  function passed(): Edit[] {
    const callee = one('callee')
    const object = callee.object
    if (!isNode(object) || !passing.test(String((callee.property as Node).name))) return []
    return at('drop call', { start: object.end, end: node.end }, '')
  }

  function anchors(pattern: string): Edit[] {
    const [start, end] = [node.start + 1, node.start + 1 + pattern.length]
    const first = pattern.startsWith('^') && pattern !== '^' ? at('drop anchor', { start, end: start + 1 }, '') : []
    const last = /[^\\]\$$/.test(pattern) ? at('drop anchor', { start: end - 1, end }, '') : []
    return [...first, ...last]
  }
}
