/** A key of bot.yaml with its value, and what it was made from. */
export interface Entry {
  readonly key: string
  readonly value: unknown
  readonly why: string
  /** What each member of a mapping was made from, by its key, or each item of a list by its number: each has a line of its own. */
  readonly whys?: Readonly<Record<string, string>>
  /** Written behind a `#`, for the operator to decide. */
  readonly optional?: true
}
