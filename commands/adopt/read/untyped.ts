/** The text of a scalar of YAML or JSON. */
export function textOf(said: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof said) ? String(said) : undefined
}

/** A member of what may be a mapping; undefined where it is none, or has no such member. */
export function memberOf(said: unknown, key: string): unknown {
  const members: Readonly<Record<string, unknown>> | undefined = mappingOf(said)
  return members !== undefined && Object.hasOwn(members, key) ? members[key] : undefined
}

export function mappingOf(said: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof said === 'object' && said !== null && !Array.isArray(said)
    ? (said as Readonly<Record<string, unknown>>)
    : undefined
}

const maxItems = 1000

/** The items of a list; of a mapping `NAME=value`, as a list would write it. */
export function itemsOf(said: unknown): readonly unknown[] {
  if (Array.isArray(said)) return said.slice(0, maxItems)
  const single = textOf(said)
  if (single !== undefined) return [single]
  return Object.entries(mappingOf(said) ?? {})
    .slice(0, maxItems)
    .map(([name, each]) => (textOf(each) === undefined ? name : `${name}=${textOf(each)}`))
}

export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
