import * as v from 'valibot'
import { guarded } from '../../lib/model/combinators.ts'
import type { Facts } from '../../lib/model/facts.ts'
import type { Guard, Resource } from '../../lib/model/resource.ts'
import { authorizedKeys, parseKeys } from '../../lib/resources/authorized-keys.ts'
import { file } from '../../lib/resources/file.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { member, user } from '../../lib/resources/user.ts'
import { sh } from '../../lib/shell/sh.ts'

export const admin = v.strictObject({
  name: v.pipe(
    v.string(),
    v.regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'a name of a user: lower-case letters, digits, - and _'),
    v.notValue('root', 'a user other than root, who needs no sudo'),
  ),
  keys: v.pipe(
    v.array(v.pipe(v.string(), v.check(isOneKey, 'a public key in one line, as in ~/.ssh/id_ed25519.pub'))),
    v.nonEmpty('at least one key: without one this user cannot log in'),
  ),
})

const account: Guard = { name: 'login', paths: ['/etc/passwd', '/etc/shadow'], restore: sh`:` }
const sudoers = '/etc/sudoers.d/botgarden-admin'

/** A user who logs in with a key and may use sudo for everything. */
export function adminUser({ name, keys }: v.InferOutput<typeof admin>, facts: Facts): Resource[] {
  const rights = file(sudoers, {
    content: `# Written by botgarden; changes made here are overwritten.\n${name} ALL=(ALL:ALL) NOPASSWD: ALL\n`,
    mode: '0440',
    validate: { tool: 'visudo', script: (path) => sh`visudo -q -cf ${path}` },
  })
  const login = [
    user(name),
    member(name, 'sudo'),
    authorizedKeys(
      name,
      keys.map((key) => key.trim()),
    ),
  ]
  return [
    aptPackage('sudo'),
    // The operator may log in with the password of this user, and may not have the key.
    ...(facts.user === name ? login.map((each) => guarded(each, account)) : login),
    // An operator who works through sudo could lose it: the rights may be those of this user.
    facts.user === 'root' ? rights : guarded(rights, { name: 'sudo', paths: [sudoers], restore: sh`:` }),
  ]
}

function isOneKey(line: string): boolean {
  return parseKeys(line).length === 1 && !line.trim().includes('\n')
}
