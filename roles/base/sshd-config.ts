import type { Facts } from '../../lib/model/facts.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { sha256Of } from '../../lib/std/sha256.ts'

export const mainConfig = '/etc/ssh/sshd_config'
/** Read before all other drop-ins, cloud-init's 50-cloud-init.conf among them. */
export const dropInPath = '/etc/ssh/sshd_config.d/00-botgarden.conf'
/** The files of sshd's configuration, as words of shell, in the order in which they are read. */
export const configFiles = `${mainConfig} /etc/ssh/sshd_config.d/*.conf`

/** What `sshd -T` prints, by keyword in lower case; a string is its error message instead. */
export type Effective = string | Readonly<Record<string, readonly string[]>>

/** sshd's configuration on the disk, and its settings with our new drop-in, as sshd itself prints them. */
export interface SshdConfig {
  /** By path, in the order in which they are read; one character per byte. */
  readonly files: Readonly<Record<string, string>>
  /** The settings of our drop-in alone. */
  readonly alone: Effective
  /** The settings of all files for this login. */
  readonly whole: Effective
}

/** Reads sshd's configuration with this text as our drop-in, and writes nothing. */
export function sshdConfig(candidate: string, { user, clientAddress, addresses, sshPort }: Facts): Reading<SshdConfig> {
  const [address = '127.0.0.1'] = addresses
  const login = `user=${user},host=${clientAddress},addr=${clientAddress},laddr=${address},lport=${sshPort},rdomain=`
  const kind: Kind<SshdConfig> = {
    name: 'sshd',
    script: () => readScript(candidate, login),
    parse: oneValue(parse),
  }
  return reading(kind, 'config')
}

/** Has sshd test this file as our drop-in, before all others: the first value wins, so an older version of it has no effect. */
export function acceptScript(path: Script): Script {
  return sh`cat ${path} ${mainConfig} | /usr/sbin/sshd -t -f /dev/stdin`
}

/** The files of sshd's configuration with this text as our drop-in. */
export function withDropIn(files: SshdConfig['files'], content: string): SshdConfig['files'] {
  const all = { ...files, [dropInPath]: Buffer.from(content).toString('latin1') }
  const inOrder = ([a]: [string, string], [b]: [string, string]) =>
    a === mainConfig || (b !== mainConfig && a < b) ? -1 : 1
  return Object.fromEntries(Object.entries(all).sort(inOrder))
}

/** The checksum that the unit writes when sshd reads its configuration. */
export function checksumOf(files: SshdConfig['files']): string {
  return sha256Of(Buffer.from(Object.values(files).join(''), 'latin1'))
}

// By stdin, since nothing may be written: sshd_config with its Include expanded, and our text in the place of our file.
function readScript(candidate: string, login: string): Script {
  return sh`
    candidate=$(printf %s ${Buffer.from(candidate).toString('base64')} | base64 -d)
    drop_ins=$(printf '%s\n' ${dropInPath} /etc/ssh/sshd_config.d/*.conf | sort -u)
    effective() {
      name=$1; shift
      said=$(/usr/sbin/sshd "$@" -T -C ${login} -f /dev/stdin 2>&1) && status=0 || status=$?
      printf '%s %s %s\n' "$name" "$status" "$(printf %s "$said" | base64 --wrap=0)"
    }
    printf '%s\n' "$candidate" | effective alone
    # What the service is started with wins over all files.
    options=$(sed -n -E 's/^ *SSHD_OPTS=//p' /etc/default/ssh 2>/dev/null | tail -n 1 | tr -d "\"'")
    drop_in=${dropInPath} candidate=$candidate drop_ins=$drop_ins awk '
      tolower($1) == "include" && $2 ~ "^\"?(/etc/ssh/)?sshd_config[.]d/[*]([.]conf)?\"?$" {
        n = split(ENVIRON["drop_ins"], file, "\n")
        for (i = 1; i <= n; i++) print file[i] == ENVIRON["drop_in"] ? ENVIRON["candidate"] : "Include " file[i]
        next
      }
      { print }' ${mainConfig} | effective whole $options
    for file in ${mainConfig} /etc/ssh/sshd_config.d/*.conf; do
      [ ! -e "$file" ] || printf 'file %s %s\n' "$(base64 --wrap=0 "$file")" "$file"
    done`
}

function parse(output: string): SshdConfig {
  const lines = output.split('\n')
  const effective = (name: string): Effective => {
    const [, status, said = ''] = lines.find((line) => line.startsWith(`${name} `))?.split(' ') ?? []
    const text = Buffer.from(said, 'base64').toString()
    return status === '0' ? parseEffective(text) : text
  }
  const files = lines.flatMap((line) => {
    const [, text = '', path] = line.match(/^file (\S*) (.*)$/) ?? []
    return path === undefined ? [] : [[path, Buffer.from(text, 'base64').toString('latin1')] as const]
  })
  return { files: Object.fromEntries(files), alone: effective('alone'), whole: effective('whole') }
}

/** Parses the output of `sshd -T`; its warnings begin with a path. */
export function parseEffective(text: string): Exclude<Effective, string> {
  const effective: Record<string, string[]> = {}
  for (const line of text.split('\n')) {
    const [, keyword, value = ''] = line.match(/^([a-z0-9]+)(?: (.*))?$/) ?? []
    if (keyword !== undefined) effective[keyword] = [...(effective[keyword] ?? []), value]
  }
  return effective
}
