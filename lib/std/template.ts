import { readFileSync } from 'node:fs'
import mustache from 'mustache'

/** A mustache template with its variables filled in. Nothing is escaped: what comes out is a config file, not a page. */
export function template(url: URL, variables: Record<string, unknown>): string {
  const text = readFileSync(url, 'utf8')
  for (const [type, name] of mustache.parse(text)) {
    // Mustache prints nothing for a name it does not know; in a config file such a fault goes unnoticed.
    if ((type === 'name' || type === '&') && !((name.split('.')[0] as string) in variables))
      throw new TypeError(`${url.pathname}: nothing is given for {{${name}}}`)
  }
  return mustache.render(text, variables, undefined, { escape: String })
}
