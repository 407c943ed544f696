/** A key of bot.yaml with its value, and what it was made from. */
export interface Entry {
  readonly key: string
  readonly value: unknown
  readonly why: string
  /** Written behind a `#`, for the operator to decide. */
  readonly optional?: true
}
