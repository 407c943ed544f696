import { posix } from 'node:path'
import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Change, type Resource, resource } from '../model/resource.ts'
import { hiddenCandidate, installFile } from '../shell/install-file.ts'
import { sh } from '../shell/sh.ts'
import { HostError } from '../std/errors.ts'

/** A file that sshd reads the keys of a user from. Neither the file nor the user need exist. */
export interface KeyFile {
  readonly path: string
  /** It is in the user's home, where sshd checks modes and owners. */
  readonly own: boolean
  /** `MODE OWNER`, or `absent`. */
  readonly directory: string
  readonly file: string
  readonly keys: readonly AuthorizedKey[]
}

export interface AuthorizedKey {
  /** `TYPE BASE64`, which identifies the key. */
  readonly key: string
  /** Its restrictions: `from="…",command="…"`. */
  readonly options: string
}

/** Where a user's keys are, in the order in which sshd looks. */
export function keyFiles(user: string): Reading<readonly KeyFile[]> {
  return reading(kind, user)
}

/** Keys that open a user's account; others that are there stay. */
export function authorizedKeys(user: string, keys: readonly string[]): Resource {
  const now = keyFiles(user)
  return resource({
    id: `keys:${user}`,
    wants: keys,
    reads: { now },
    plan: ({ now: files }) => {
      const [first, ...others] = files
      if (first === undefined) throw new HostError(`sshd reads no file of keys for ${user}: AuthorizedKeysFile is none`)
      const there = new Set(files.flatMap((each) => each.keys.map(({ key }) => key)))
      const missing = keys.filter((line) => !parseKeys(line).every(({ key }) => there.has(key)))
      const after = { ...first, ...rightAttributes(user, first), keys: [...first.keys, ...missing.flatMap(parseKeys)] }
      const predicts = [becomes(now, [after, ...others])]
      return [...added(user, first, missing), ...attributes(user, first, missing.length > 0)].map((change) => ({
        ...change,
        predicts,
      }))
    },
  })
}

/** The keys in a text of the format of authorized_keys(5). */
export function parseKeys(text: string): AuthorizedKey[] {
  return text.split('\n').flatMap((line) => {
    const [, options = '', type, blob] =
      line.match(/^\s*(?:(.*\S)\s+)?((?:ssh|ecdsa|sk)-[\w@.-]+)\s+(AAAA[\w+/]+=*)/) ?? []
    return type === undefined || options.startsWith('#') ? [] : [{ key: `${type} ${blob}`, options }]
  })
}

function added(user: string, { path, own, directory }: KeyFile, missing: readonly string[]): Change[] {
  if (missing.length === 0) return []
  const folder = posix.dirname(path)
  const owner = own ? `${user}:` : 'root:root'
  const write = sh`{ if [ -e ${path} ]; then sed -e '$a\' ${path}; fi; printf '%s\n' ${missing}; } >"$candidate"`
  const script = sh`
    ${directory === 'absent' ? sh`(umask ${own ? '077' : '022'}; mkdir -p ${folder}); chown ${owner} ${folder}` : sh`:`}
    ${installFile(path, { owner, mode: own ? '0600' : '0644', write, candidate: hiddenCandidate(path) })}`
  const summary = missing.length === 1 ? 'add a key' : `add ${missing.length} keys`
  return [{ summary, script, diff: () => missing.map((line) => `+${line}`).join('\n') }]
}

/** What sshd's StrictModes asks for, and no more open than that. */
function attributes(user: string, now: KeyFile, rewritten: boolean): Change[] {
  const right = rightAttributes(user, now)
  const folder = posix.dirname(now.path)
  const mend = (path: string, is: string, wanted: string): Change[] =>
    is === wanted || is === 'absent'
      ? []
      : [
          {
            summary: `${path}: ${is} → ${wanted}`,
            script: sh`chown ${`${user}:`} ${path}; chmod ${wanted.split(' ')[0] ?? ''} ${path}`,
          },
        ]
  return [...mend(folder, now.directory, right.directory), ...(rewritten ? [] : mend(now.path, now.file, right.file))]
}

function rightAttributes(user: string, { own, directory, file }: KeyFile) {
  return own ? { directory: `0700 ${user}`, file: `0600 ${user}` } : { directory, file }
}

// sshd itself is asked for the paths. It needs every criterion that a Match block may use; their values do not matter.
const kind: Kind<readonly KeyFile[]> = {
  name: 'keys',
  script: (users) => sh`
    attributes() { stat -L -c '%04a %U' -- "$1" 2>/dev/null || echo absent; }
    for user in ${users}; do
      entry=$(getent passwd "$user") || entry="$user:x:::::"
      home=$(echo "$entry" | cut -d: -f6); home=\${home:-/home/$user}
      uid=$(echo "$entry" | cut -d: -f3)
      set -f
      set -- $(/usr/sbin/sshd -T -C "user=$user,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22,rdomain=" 2>/dev/null |
        sed -n 's/^authorizedkeysfile //p')
      set +f
      [ $# -gt 0 ] || set -- .ssh/authorized_keys .ssh/authorized_keys2
      for pattern; do
        [ "$pattern" != none ] || continue
        path=$(printf %s "$pattern" | sed "s|%h|$home|g; s|%u|$user|g; s|%U|$uid|g; s|%%|%|g")
        case $path in /*) ;; *) path=$home/$path;; esac
        case $path in "$home"/*) own=yes;; *) own=no;; esac
        printf '%s|%s|%s|%s|%s|%s\n' "$user" $own "$(attributes "$(dirname "$path")")" "$(attributes "$path")" \
          "$(base64 --wrap=0 "$path" 2>/dev/null)" "$path"
      done
    done`,
  parse: (output, users) => {
    const found = output.split('\n').flatMap((line) => {
      const [user, own, directory = '', file = '', text = '', ...path] = line.split('|')
      const keys = parseKeys(Buffer.from(text, 'base64').toString())
      return path.length === 0
        ? []
        : [{ user, state: { path: path.join('|'), own: own === 'yes', directory, file, keys } }]
    })
    return new Map(users.map((name) => [name, found.filter(({ user }) => user === name).map(({ state }) => state)]))
  },
}
