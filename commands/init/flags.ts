/** The options of init.ts: an answer each, so that it runs without a terminal. */
export const initFlags = {
  inventory: {
    short: 'i',
    value: 'FILE',
    help: 'the inventory to write, here or elsewhere (default: $BOTGARDEN_INVENTORY, else inventory/production.yaml)',
  },
  host: {
    value: 'ADDRESS',
    help: 'the VPS: its address or name, with :PORT unless it is 22, or an alias of your ssh_config',
  },
  user: { value: 'NAME', help: 'who logs in there: root, or a user with sudo without a password (default: root)' },
  fingerprint: { value: 'SHA256:…', help: 'of the host key, as the provider shows it; asked on a terminal' },
  domain: { value: 'DOMAIN', help: 'the name whose A record leads to the VPS, or none' },
  email: { value: 'ADDRESS', help: 'where the certificate authority may write to, or none' },
  bot: { value: 'NAME', help: 'what the first bot is called; without a folder bots/NAME it is made from the model' },
  'token-file': {
    value: 'FILE',
    help: 'a file with the token from BotFather, - for stdin; else the variable NAME_TOKEN',
  },
  'host-name': { value: 'NAME', help: 'what the inventory calls the VPS (default: vps1)' },
  help: { short: 'h', npm: true, help: 'show this' },
} as const
