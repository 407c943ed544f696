import { type Family, familyOf, type Rule } from './rules.ts'

/** Lets in what is published at an open port: the port that the connection was made to, not the one that a container listens on. */
export function published(family: Family, rule: Rule): string[] {
  return matches(family, rule).map(
    (match) => `-A botgarden-forward${match} -m conntrack --ctorigdstport ${rule.ports} -j RETURN`,
  )
}

/** Lets in what the host itself listens on at an open port. */
export function listening(family: Family, rule: Rule): string[] {
  return matches(family, rule).map((match) => `-A botgarden-input${match} --dport ${rule.ports} -j RETURN`)
}

/** The interface, the source and the protocol of a rule, for each protocol. */
function matches(family: Family, { protocol, from, on }: Rule): string[] {
  if (from !== undefined && familyOf(from) !== family) return []
  const source = `${on === undefined ? '' : ` -i ${on}`}${from === undefined ? '' : ` -s ${from}`}`
  return (protocol === 'any' ? ['tcp', 'udp'] : [protocol]).map((each) => `${source} -p ${each}`)
}
