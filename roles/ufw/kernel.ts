/** The rules of one address family: their chains in ufw's files, and in the kernel. */
export interface Loaded {
  /** The chain of every rule in a file. */
  readonly files: readonly string[]
  /** `INPUT DROP`. */
  readonly policies: readonly string[]
  /** The chain of every rule; of the built-in chains `INPUT to CHAIN`. */
  readonly kernel: readonly string[]
}

/**
 * The differences between the kernel's rules and the files: a chain was flushed by hand, or a run was cut between writing and
 * loading. Rules are counted by chain, since the kernel spells them differently.
 */
export function kernelDifferences(
  prefix: 'ufw' | 'ufw6',
  { files, policies, kernel }: Loaded,
  settings: Readonly<Record<string, string>>,
): string[] {
  if (!kernel.some((chain) => chain.startsWith(prefix))) return [`${prefix} is not loaded`]
  const wanted = counts([...files, ...builtIn(prefix, settings)].filter(isTold))
  const there = counts(kernel.filter(isTold))
  const chains = [...new Set([...wanted.keys(), ...there.keys()])]
  return [
    ...hooks.flatMap(([chain, key]) => {
      const policy = settings[key] === 'ACCEPT' ? 'ACCEPT' : 'DROP'
      return policies.includes(`${chain} ${policy}`) ? [] : [`${chain} of ${prefix} does not ${policy}`]
    }),
    ...chains.flatMap((chain) => {
      const [has, should] = [there.get(chain) ?? 0, wanted.get(chain) ?? 0]
      return has === should ? [] : [`${chain} has ${has} of ${should} rules`]
    }),
  ]
}

/** ufw adds the rules of «limit» to the files at its next change, and to the kernel only at its next reload. */
function isTold(chain: string): boolean {
  return !/-user-limit(-accept)?$/.test(chain)
}

const hooks = [
  ['INPUT', 'DEFAULT_INPUT_POLICY'],
  ['OUTPUT', 'DEFAULT_OUTPUT_POLICY'],
  ['FORWARD', 'DEFAULT_FORWARD_POLICY'],
] as const

/** What ufw-init adds to the files: the jumps between chains, and the default policies. */
function builtIn(prefix: string, settings: Readonly<Record<string, string>>): string[] {
  return hooks.flatMap(([chain, key]) => {
    const end = chain.toLowerCase()
    const parts = ['before-logging', 'before', 'after', 'after-logging', 'reject', 'track']
    return [
      ...parts.map((part) => `${chain} to ${prefix}-${part}-${end}`),
      `${prefix}-before-${end}`,
      `${prefix}-skip-to-policy-${end}`,
      ...(settings[key] === 'REJECT' ? [`${prefix}-reject-${end}`] : []),
      ...(settings[key] === 'ACCEPT' ? [`${prefix}-track-${end}`, `${prefix}-track-${end}`] : []),
    ]
  })
}

function counts(names: readonly string[]): Map<string, number> {
  const result = new Map<string, number>()
  for (const name of names) result.set(name, (result.get(name) ?? 0) + 1)
  return result
}
