/** A text of a compose file with its variables filled in; what nothing is known of is empty. */
export function interpolated(text: string, known: ReadonlyMap<string, string>): string {
  return text.replace(
    /\$\$|\$\{(\w+)(?:(:?[-?+])((?:[^{}]|\{[^{}]*\})*))?\}|\$(\w+)/g,
    (found, braced?: string, operator = '', fallback = '', bare?: string) => {
      if (found === '$$') return '$'
      const value = known.get(braced ?? bare ?? '')
      const isMissing = value === undefined || (value === '' && operator.startsWith(':'))
      return isMissing && operator.endsWith('-') ? interpolated(fallback, known) : (value ?? '')
    },
  )
}

/** The name of the variable that a text is nothing but: `${NAME}`, `${NAME:-default}`. */
export function soleVariable(text: string): string | undefined {
  return /^\$\{?(\w+)(?::?[-?][^{}]*)?\}?$/.exec(text)?.[1]
}
