type Value = string | number | boolean
/** Settings of sshd_config(5); a list repeats the keyword. */
export type Settings = Readonly<Record<string, Value | readonly Value[]>>

/** Removes what ssh-audit fails or warns about from the defaults of the host's own sshd, so that no name is unknown to it. */
const algorithms: Settings = {
  // NIST's curves and groups that may be weak.
  KexAlgorithms: '-ecdh-*,diffie-hellman-*',
  HostKeyAlgorithms: '-ecdsa-*,sk-ecdsa-*',
  Ciphers: '-*-cbc',
  // SHA-1, short tags, and those that are not encrypt-then-MAC.
  MACs: '-*sha1*,*md5*,umac-64*,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512',
}

const defaults: Settings = {
  PermitRootLogin: 'prohibit-password',
  PubkeyAuthentication: true,
  PasswordAuthentication: false,
  KbdInteractiveAuthentication: false,
  // OpenSSH's default; a lower number locks out users with many keys in their agent.
  MaxAuthTries: 6,
  LoginGraceTime: 30,
  MaxStartups: '10:30:60',
  // Sessions of one shared connection: an operator and a few runs.
  MaxSessions: 4,
  // A dead client is noticed within a minute, by encrypted probes: TCP's own can be answered by others.
  ClientAliveInterval: 15,
  ClientAliveCountMax: 2,
  TCPKeepAlive: false,
  // The log says which key was used.
  LogLevel: 'VERBOSE',
  X11Forwarding: false,
  AllowAgentForwarding: false,
  // For psql through a tunnel; remote forwarding, which opens ports on the host, is off.
  AllowTcpForwarding: 'local',
  ...algorithms,
}

export interface Setting {
  readonly keyword: string
  readonly value: string
}

/** The settings of our drop-in: the operator's, and our defaults for the rest. */
export function sshdSettings(own: Settings): Setting[] {
  const said = new Set(Object.keys(own).map((keyword) => keyword.toLowerCase()))
  const ours = Object.entries(defaults).filter(([keyword]) => !said.has(keyword.toLowerCase()))
  return [...ours, ...Object.entries(own)].flatMap(([keyword, value]) =>
    [value].flat().map((each) => ({ keyword, value: word(each) })),
  )
}

function word(value: Value): string {
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)
}
