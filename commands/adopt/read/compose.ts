import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { type ComposeService, type Fill, serviceOf } from './compose-service.ts'
import { at } from './finding.ts'
import { mappingOf, memberOf } from './untyped.ts'

/** For each the document is searched. */
const maxServices = 200

/** The services of a compose file. Throws an `Error` that says why it cannot be read. */
export function composeServices(text: string, file: string, fill: Fill = (value) => value): readonly ComposeService[] {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, uniqueKeys: false, merge: true })
  const lineOf = (node: unknown) => (isNode(node) && node.range ? counter.linePos(node.range[0]).line : undefined)
  const [fault] = document.errors
  if (fault !== undefined) throw new Error(`line ${counter.linePos(fault.pos[0]).line}: ${fault.message}`)
  // Aliases that repeat aliases unfold without end.
  const root: unknown = document.toJS({ maxAliasCount: 100 })

  /** The line of a key; of the closest one above it where it is not written there, as behind an alias. */
  const keyLine = (path: readonly string[]): number => {
    const above: unknown = document.getIn(path.slice(0, -1), true)
    const pair = isMap(above) ? above.items.find(({ key }) => isScalar(key) && key.value === path.at(-1)) : undefined
    return lineOf(pair?.key) ?? (path.length <= 1 ? 1 : keyLine(path.slice(0, -1)))
  }
  const itemLine = (path: readonly string[], index: number): number => {
    const list: unknown = document.getIn(path, true)
    const item: unknown = isSeq(list) ? list.items[index] : isMap(list) ? list.items[index]?.key : undefined
    return lineOf(item) ?? keyLine(path)
  }
  const services = Object.entries(mappingOf(memberOf(root, 'services')) ?? {}).slice(0, maxServices)
  return services.map(([name, said]) =>
    serviceOf(
      name,
      said,
      (key, index) => {
        const path = ['services', name, ...(key === undefined ? [] : [key])]
        return at(file, index === undefined ? keyLine(path) : itemLine(path, index))
      },
      fill,
    ),
  )
}
