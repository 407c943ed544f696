import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, reading } from '../../lib/model/reading.ts'
import { sh } from '../../lib/shell/sh.ts'
import { kernelDifferences, type Loaded } from './kernel.ts'

/** The configuration of ufw, and how much of it the kernel has. */
export interface UfwState {
  /** From /etc/default/ufw and /etc/ufw/ufw.conf; empty where ufw was never installed. */
  readonly settings: Readonly<Record<string, string>>
  /** In ufw's own order and spelling, IPv4 first: `allow tcp 443 0.0.0.0/0 any 0.0.0.0/0 in`. */
  readonly rules: readonly string[]
  /** The differences between the kernel and ufw's files, in words; meaningless while ufw is disabled. */
  readonly differences: readonly string[]
  /** The container rules that the kernel has, as `CHAIN VERSION`; none for IPv6 where the host has no IPv6. */
  readonly containers: { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] | undefined }
  /** Rules of other programs that drop or reject all incoming traffic. */
  readonly obstacles: readonly Obstacle[]
}

interface Obstacle {
  readonly tables: 'iptables' | 'ip6tables'
  /** `INPUT -j REJECT`. */
  readonly rule: string
  /** It comes before the jump to ufw's rules, or there is no such jump. */
  readonly before: boolean
}

/** The defaults of the package. */
export const defaultSettings = {
  IPV6: 'yes',
  DEFAULT_INPUT_POLICY: 'DROP',
  DEFAULT_OUTPUT_POLICY: 'ACCEPT',
  DEFAULT_FORWARD_POLICY: 'DROP',
  MANAGE_BUILTINS: 'no',
  ENABLED: 'no',
}

/**
 * The conditions with which a rule still matches new connections to any port from anywhere, as iptables-save prints them. An
 * interface is none of them: it may be a private network of the operator.
 */
const whateverComes = sh` ! -i lo| -p tcp| -m (tcp|state|conntrack|comment)| --(ct)?state ([A-Z]+,)*NEW(,[A-Z]+)*| --comment ("[^"]*"|[^ "]+)`

export const ufwKind: Kind<UfwState> = {
  name: 'ufw',
  // From ufw's own files, since `ufw status` takes a third of a second and shows the files, not the kernel.
  script: () => sh`
    sed -n -E 's/^(ENABLED|IPV6|MANAGE_BUILTINS|DEFAULT_(INPUT|OUTPUT|FORWARD)_POLICY)=/set &/p' /etc/default/ufw /etc/ufw/ufw.conf 2>/dev/null
    [ ! -e /proc/net/if_inet6 ] || echo inet6
    for v in '' 6; do
      echo "family $v"
      { cat /etc/ufw/before$v.rules /etc/ufw/after$v.rules /etc/ufw/user$v.rules | sed -n -E \
          -e 's/^### tuple ### /tuple /p' \
          -e '/ (-[sd]|--(src|dst|source|destination)) [^ ]*,/{s/^-[AI] (ufw.*)/several \1/p;d}' \
          -e 's/^-[AI] (ufw[^ ]*) .*/file \1/p'
        ip\${v}tables-save -t filter | sed -n -E \
          -e 's/^:(INPUT|FORWARD|OUTPUT) ([A-Z]*) .*/policy \1 \2/p' \
          -e 's/^-A (ufw[^ ]*) .*/kernel \1/p' \
          -e 's/^-A (INPUT|FORWARD|OUTPUT) -j (ufw[^ ]*)$/kernel \1 to \2/p' \
          -e 's/^-A (INPUT(${whateverComes})* -j (ACCEPT|DROP|REJECT)( .*)?)$/ends \1/p'
        ip\${v}tables-save -t mangle | sed -n -E \
          -e '/ botgarden-/!d' \
          -e 's/^-A ([^ ]*) .*--comment "?botgarden:([0-9a-f]*).*/container \1 \2/p;t' \
          -e 's/^-A ([^ ]*) .*/container \1 not-ours/p'
      } 2>/dev/null | uniq -c
    done`,
  parse: oneValue(parseUfw),
}

export const ufwState = reading(ufwKind, 'state')

export function parseUfw(output: string): UfwState {
  const [head = '', ...families] = output.split(/^family /m)
  const settings = Object.fromEntries(
    [...head.matchAll(/^set (\w+)=["']?([^"'\s]*)/gm)].map(([, name = '', value = '']) => [name, value]),
  )
  const [ipv4, ipv6] = [parseFamily(families[0]), parseFamily(families[1])]
  const hasIpv6 = head.split('\n').includes('inet6')
  return {
    settings,
    rules: [ipv4, ipv6].flatMap((family) => family.tuples),
    differences: [
      ...kernelDifferences('ufw', ipv4, settings),
      ...(hasIpv6 && settings.IPV6 === 'yes' ? kernelDifferences('ufw6', ipv6, settings) : []),
    ],
    containers: { ipv4: ipv4.containers, ipv6: hasIpv6 ? ipv6.containers : undefined },
    obstacles: [
      ...ipv4.ends.map((each) => ({ tables: 'iptables' as const, ...each })),
      ...ipv6.ends.map((each) => ({ tables: 'ip6tables' as const, ...each })),
    ],
  }
}

function parseFamily(text = ''): Loaded & { tuples: string[]; containers: string[]; ends: Omit<Obstacle, 'tables'>[] } {
  const rows = [...text.matchAll(/^ *(\d+) (\w+) (.*)$/gm)].flatMap(([, count, kind = '', rest = '']) =>
    Array.from({ length: Number(count) }, () => ({ kind, rest })),
  )
  const hooked = rows.findIndex(({ kind, rest }) => kind === 'kernel' && rest.startsWith('INPUT to '))
  const of = (kind: string) => rows.filter((row) => row.kind === kind).map(({ rest }) => rest)
  return {
    tuples: of('tuple').map((tuple) => tuple.replace(/ comment=\w*$/, '')),
    files: [...of('file'), ...of('several').flatMap(expanded)],
    policies: of('policy'),
    kernel: of('kernel'),
    containers: of('container').sort(),
    ends: rows.flatMap(({ kind, rest }, at) =>
      kind === 'ends' ? [{ rule: rest, before: hooked < 0 || at < hooked }] : [],
    ),
  }
}

/** iptables makes one rule for each pair of addresses. */
function expanded(rule: string): string[] {
  const lists = [...rule.matchAll(/ (?:-[sd]|--(?:src|dst|source|destination)) (\S+)/g)]
  const times = lists.reduce((product, [, list = '']) => product * list.split(',').length, 1)
  return Array(times).fill(rule.split(' ')[0])
}
