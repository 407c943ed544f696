import { lineEach } from '../model/kinds.ts'
import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Change, type Resource, resource } from '../model/resource.ts'
import { sh } from '../shell/sh.ts'
import { HostError } from '../std/errors.ts'

/** An account as the host knows it. */
export type UserState =
  | 'absent'
  | {
      readonly uid: number
      readonly home: string
      /** The home exists and is a directory. */
      readonly homeThere: boolean
      readonly shell: string
      /** `none` lets anyone log in. */
      readonly password: 'set' | 'locked' | 'none'
      /** All of them, the user's own first. */
      readonly groups: readonly string[]
    }

export function userState(name: string): Reading<UserState> {
  return reading(users, name)
}

/** A person's account with a home and this shell, and without a password: it is used with a key. */
export function user(name: string, { shell = '/bin/bash' } = {}): Resource {
  const now = userState(name)
  return resource({
    id: `user:${name}`,
    wants: { shell },
    reads: { now },
    plan: ({ now: state }) => {
      if (state === 'absent') {
        const home = `/home/${name}`
        const created = { uid: 1000, home, homeThere: true, shell, password: 'locked', groups: [name] } as const
        return [{ summary: 'create', script: createScript(name, shell), predicts: [becomes(now, created)] }]
      }
      if (state.uid < 1000) throw new HostError(`user ${name} is a system account: choose another name`)
      const predicts = [becomes(now, { ...state, shell, password: 'locked' as const, homeThere: true })]
      return mended(name, shell, state).map((change) => ({ ...change, predicts }))
    },
  })
}

/** A user in a group; the other groups of the user stay. Sessions that are open keep the groups they began with. */
export function member(name: string, group: string): Resource {
  const now = userState(name)
  return resource({
    id: `member:${group}/${name}`,
    wants: 'member',
    reads: { now },
    plan: ({ now: state }) => {
      if (state === 'absent')
        throw new HostError(`user ${name} does not exist, and nothing in this playbook creates it`)
      if (state.groups.includes(group)) return []
      const predicts = [becomes(now, { ...state, groups: [...state.groups, group] })]
      return [{ summary: 'add', script: sh`gpasswd --add ${name} ${group}`, predicts }]
    },
  })
}

function mended(name: string, shell: string, state: Exclude<UserState, 'absent'>): Change[] {
  const { home } = state
  return [
    ...(state.shell === shell
      ? []
      : [{ summary: `shell ${state.shell} → ${shell}`, script: sh`usermod --shell ${shell} ${name}` }]),
    ...(state.password === 'locked'
      ? []
      : [{ summary: 'lock the password', script: sh`usermod --password '*' ${name}` }]),
    ...(state.homeThere
      ? []
      : [
          {
            summary: 'create the home',
            script: sh`cp -rT /etc/skel ${home}; chown -R ${`${name}:`} ${home}; chmod 0700 ${home}`,
          },
        ]),
  ]
}

/** A password of `*` matches nothing, as `!` does, but sshd without PAM refuses an account with `!`. */
function createScript(name: string, shell: string) {
  const options = ['--create-home', '--shell', shell, '--password', '*']
  return sh`
    if getent group ${name} >/dev/null; then useradd ${options} --gid ${name} ${name}
    else useradd ${options} --user-group ${name}
    fi`
}

const users: Kind<UserState> = {
  name: 'user',
  script: (names) => sh`
    for name in ${names}; do
      entry=$(getent passwd "$name") || { echo absent; continue; }
      home=$(echo "$entry" | cut -d: -f6)
      printf '%s|%s|%s|%s\n' "$(id -nG "$name")" "$(passwd -S "$name" 2>/dev/null | cut -d ' ' -f 2)" \
        "$([ -d "$home" ] && echo yes || echo no)" "$entry"
    done`,
  parse: lineEach(parseUser),
}

function parseUser(line: string): UserState {
  if (line === 'absent') return 'absent'
  const [, groups = '', status, homeThere, entry = ''] = line.match(/^([^|]*)\|([^|]*)\|(yes|no)\|(.*)$/) ?? []
  const [, , uid, , , home, shell] = entry.split(':')
  if (uid === undefined || home === undefined) throw new HostError(`the account of a user cannot be read: ${line}`)
  return {
    uid: Number(uid),
    home,
    homeThere: homeThere === 'yes',
    // An empty field means this one.
    shell: shell || '/bin/sh',
    password: status === 'P' ? 'set' : status === 'NP' ? 'none' : 'locked',
    groups: groups.split(' '),
  }
}
