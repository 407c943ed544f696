import { isIP } from 'node:net'
import * as v from 'valibot'
import { isDomainName } from '../model/domain-name.ts'
import type { HostEntry } from '../model/role.ts'

/** The part of a role that the inventory needs. */
export interface RoleSchema {
  readonly name: string
  readonly vars: v.GenericSchema
  readonly bots?: v.StrictObjectSchema<v.ObjectEntries, undefined>
  /** Contradictions between vars that are each valid. */
  faults?(vars: unknown, host: HostEntry): readonly string[]
}

/**
 * What the inventory file may hold. The value under a role's name may be anything (unless `varsOf` says otherwise): it is
 * checked later, when the levels are merged.
 */
export function inventorySchema(
  roles: readonly RoleSchema[],
  varsOf: (role: RoleSchema) => v.GenericSchema | undefined = () => undefined,
) {
  const vars = Object.fromEntries(roles.map((role) => [role.name, v.optional(varsOf(role) ?? v.unknown())]))
  const host = v.strictObject({
    ...vars,
    ssh: v.optional(sshAddress),
    domain: v.optional(domain),
    httpsPort: v.optional(httpsPort),
    groups: v.optional(v.array(v.string())),
  })
  return v.pipe(
    v.strictObject({
      sandbox: v.optional(v.boolean(), false),
      sshConfig: v.optional(v.pipe(v.string(), v.nonEmpty())),
      vars: v.nullish(v.strictObject(vars)),
      groups: v.nullish(v.record(hostName, v.nullish(v.strictObject(vars)))),
      hosts: v.pipe(
        v.record(hostName, v.nullish(host)),
        v.minEntries(1, 'no host; name at least one'),
        v.description('a mapping of host names to hosts'),
      ),
      bots: v.nullish(v.record(botName, v.nullish(botSchema(roles)))),
    }),
    v.description('a mapping with the key "hosts"'),
  )
}

function botSchema(roles: readonly RoleSchema[]) {
  const entries = roles.find((role) => role.bots !== undefined)?.bots?.entries ?? {}
  return v.strictObject({ ...entries, host: v.optional(v.string()) })
}

/** The vars of every role of one host together. */
export function varsSchema(roles: readonly RoleSchema[]) {
  return v.strictObject(Object.fromEntries(roles.map((role) => [role.name, role.vars])))
}

export const hostName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9.-]*$/, 'of a-z, 0-9, "." and "-", starting with a letter or digit'),
)

// Of its database too, with _ for -, and of that database's owner.
export const botName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'of a-z, 0-9 and single "-", starting with a letter'),
  v.maxLength(32, 'of at most 32 characters'),
  v.check((text) => !['postgres', 'template0', 'template1', 'nginx'].includes(text), 'not a name of the core'),
  v.check(
    (text) => !/^(pg-.*|public|none)$/.test(text),
    'one that PostgreSQL does not keep for itself (pg-…, public, none): a role of the database is called like the bot',
  ),
  // No key can have that name: the reader of YAML refuses it first.
  v.check((text) => !(text in Object.prototype), 'one that can be a key'),
)

export const domain = v.pipe(
  v.string(),
  v.check((text) => isDomainName(text) || isIP(text) === 4, 'a domain name in lower case, or an IPv4 address'),
  v.description('a domain name, or the IPv4 address where there is none'),
)

const httpsPort = v.pipe(v.picklist([443, 8443, 88, 80]), v.description('443, 8443, 88 or 80, where Telegram delivers'))

// An address never starts with "-": ssh would read it as an option.
const address = /^(?:\w[\w.+-]*@)?(?:\[[\da-f:.]*:[\da-f:.]*(?:%[\w.-]+)?\]|\w[\w.-]*)(?::(?<port>\d+))?$/i

export const sshAddress = v.pipe(
  v.string(),
  v.check(isAddress, 'an alias of ssh_config or user@host:port (IPv6 in brackets)'),
)

function isAddress(text: string): boolean {
  const match = address.exec(text)
  const port = match?.groups?.port
  return match !== null && (port === undefined || (Number(port) >= 1 && Number(port) <= 65_535))
}
