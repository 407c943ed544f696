type Value = string | number | boolean
/** Settings of sshd_config(5); a list is the keyword several times. */
export type Settings = Readonly<Record<string, Value | readonly Value[]>>

/** Nothing that ssh-audit fails or warns of. Each is taken from what the host's own sshd offers, so that none is unknown to it. */
const algorithms: Settings = {
  // Curves of NIST's and groups that may be weak.
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
  // OpenSSH's own; fewer lock out whoever has many keys in his agent.
  MaxAuthTries: 6,
  LoginGraceTime: 30,
  MaxStartups: '10:30:60',
  // What one kept connection may carry at once: an operator and a few runs.
  MaxSessions: 4,
  // A dead client is noticed within a minute, by questions inside the encryption: TCP's own can be answered by others.
  ClientAliveInterval: 15,
  ClientAliveCountMax: 2,
  TCPKeepAlive: false,
  // The log says which key came in.
  LogLevel: 'VERBOSE',
  X11Forwarding: false,
  AllowAgentForwarding: false,
  // psql through a tunnel; nobody listens on the host for somebody else.
  AllowTcpForwarding: 'local',
  ...algorithms,
}

export interface Setting {
  readonly keyword: string
  readonly value: string
}

/** All that our drop-in says: the operator's settings, and our own where he said nothing. */
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
