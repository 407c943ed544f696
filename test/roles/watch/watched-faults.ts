import { botToken, certificateFor, loaded, type watchedHost } from './watched-host.ts'

type Watched = ReturnType<typeof watchedHost>

/** What goes wrong, what is said of it, and what mends it. */
export type Fault = readonly [
  what: string,
  breaks: (host: Watched) => unknown,
  said: RegExp,
  mends: (host: Watched) => unknown,
]

/** Those of a group are on one host at once, since each run takes its time; none of them hides another. */
export const faultGroups: readonly (readonly Fault[])[] = [
  [
    [
      'a container that has ended',
      (host) => host.container('hello-blue', { status: 'exited', exit: 137 }),
      /hello: its container botgarden-hello-blue is not running \(exited, exit code 137\)\nsince .*\nnext: npx zx playbooks\/bot.ts --name hello --logs/,
      (host) => host.container('hello-blue'),
    ],
    [
      'a full disk',
      (host) => host.note('df', '/ 97% 12%\n'),
      /the disk at \/ is 97 % full/,
      (host) => host.note('df', '/ 41% 12%\n'),
    ],
    [
      'a certificate that ends',
      (host) => host.certified(certificateFor('b.example.org', 5)),
      /the certificate of b.example.org ends [A-Z][a-z]{2} [\d ]\d /,
      good,
    ],
    [
      'a webhook that is gone',
      (host) => host.hook({ ...host.own, url: '' }),
      /hello: its webhook is gone: somebody polls/,
      (host) => host.hook(host.own),
    ],
    [
      'a job that failed',
      (host) => host.write('/var/lib/botgarden/bots/hello/jobs/tick.json', '{"start":1,"how":"ended","code":3}\n'),
      /hello: its job tick failed: exit code 3\nsince .*\nnext: npx zx playbooks\/bot.ts --name hello --jobs/,
      (host) => host.write('/var/lib/botgarden/bots/hello/jobs/tick.json', '{"start":1,"how":"ended","code":0}\n'),
    ],
    [
      'a container of no bot',
      (host) => host.beside('botgarden-hello-blue', 'botgarden-old-bot-green', 'grafana'),
      /an unknown bot: the container botgarden-old-bot-green is of no bot that this host has\nsince .*\nnext: on the host: docker rm -f botgarden-old-bot-green/,
      (host) => host.beside('botgarden-hello-blue'),
    ],
    [
      'ufw that is disabled',
      (host) => host.write('/etc/ufw/ufw.conf', 'ENABLED=no\n'),
      /the firewall is off: ufw is disabled\nsince .*\nnext: npx zx playbooks\/site.ts --tags ufw/,
      (host) => host.write('/etc/ufw/ufw.conf', 'ENABLED=yes\n'),
    ],
    [
      'a reboot that is due',
      (host) => {
        host.write('/run/reboot-required', '')
        host.write('/run/reboot-required.pkgs', 'linux-image-amd64\nlinux-image-amd64\nlibc6\n')
      },
      /vps1: it needs a reboot, for libc6 linux-image-amd64\nsince .*\nnext: on the host: systemctl reboot/,
      (host) => host.run('rm /run/reboot-required'),
    ],
    [
      'updates that fail',
      (host) => {
        host.write('/etc/apt/apt.conf.d/52botgarden', '')
        const line = (text: string) => `2026-11-26 06:00:00,123 ${text}\n`
        const began = line('INFO Starting unattended upgrades script')
        const log = began + line('ERROR of the run before') + began + line('ERROR Lock\u001b[31m could not be acquired')
        host.write('/var/log/unattended-upgrades/unattended-upgrades.log', log)
      },
      /unattended-upgrades fails: Lock \[31m could not be acquired\n/,
      (host) =>
        host.write(
          '/var/log/unattended-upgrades/unattended-upgrades.log',
          '2026-11-26 06:00:00,123 ERROR x\n2026-11-27 06:00:00,123 INFO Starting unattended upgrades script\n',
        ),
    ],
    [
      'a unit that has failed',
      (host) => host.note('failed', 'inactive\ninactive\nfailed\n'),
      /certbot\.service has failed\nsince .*\nnext: on the host: journalctl -u certbot.service -n 30/,
      (host) => host.note('failed', 'inactive\ninactive\ninactive\n'),
    ],
    [
      'a clock that is off',
      (host) => host.note('heard', 'Wed, 26 Nov 2031 08:00:00 GMT'),
      /the clock is off by \d+ seconds, as Telegram tells the time/,
      (host) => host.run('rm "$STATE/heard"'),
    ],
  ],
  [
    [
      'a container that is gone',
      (host) => host.note('engine/botgarden-postgres', '{"message":"No such container"}'),
      /the host: its container botgarden-postgres does not exist\nsince .*\nnext: npx zx playbooks\/site.ts/,
      (host) => host.container('postgres'),
    ],
    [
      'no inodes',
      (host) => host.note('df', '/ 40% 100%\n'),
      /100 % of the inodes of the disk at \/ are used/,
      (host) => host.note('df', '/ 41% 12%\n'),
    ],
    [
      'a certificate of another name',
      (host) => host.certified(certificateFor('c.example.org', 90)),
      /served for b.example.org is that of another name/,
      good,
    ],
    [
      'a webhook that leads elsewhere',
      (host) => host.hook({ ...host.own, url: 'https://x.example/7000:a' }),
      /hello: its webhook leads elsewhere: to x\.example\n/,
      (host) => host.hook(host.own),
    ],
    [
      'a container of another release',
      (host) => host.beside('botgarden-hello.worker-green'),
      /hello: its container botgarden-hello\.worker-green runs, and is none of its release/,
      (host) => host.beside(),
    ],
    [
      'a kernel in which iptables lets in what no rule names',
      (host) => host.note('rules4', loaded.replace(':INPUT DROP [', ':INPUT ACCEPT [')),
      /the firewall is off: iptables lets in what no rule names/,
      (host) => host.note('rules4', loaded),
    ],
  ],
  [
    [
      'a container that is unhealthy',
      (host) => host.container('postgres', { health: 'unhealthy' }),
      /botgarden-postgres is unhealthy/,
      (host) => host.container('postgres', { health: 'healthy' }),
    ],
    [
      'no certificate',
      (host) => host.note('served', ''),
      /nothing serves a certificate for b.example.org at port 443/,
      good,
    ],
    [
      'updates that wait',
      (host) => host.hook({ ...host.own, pending_update_count: 25 }),
      /hello: 25 updates wait at Telegram/,
      (host) => host.hook(host.own),
    ],
    [
      'a port that a container publishes',
      (host) => host.beside('grafana 3000', 'grafana 3000 tcp ::', 'local 9000 tcp 127.0.0.1'),
      /the container grafana publishes port 3000\/tcp, which no rule of ufw opens/,
      (host) => host.beside('grafana'),
    ],
    [
      'a kernel in which iptables has no rules of ufw',
      (host) => host.note('rules4', loaded.replace('-A INPUT -j ufw-before-input', '')),
      /the firewall is off: iptables has no rules of ufw/,
      (host) => host.note('rules4', loaded),
    ],
  ],
  [
    [
      'a container that restarts now',
      (host) => host.container('nginx', { status: 'restarting', exit: 1 }),
      /nginx keeps ending, exit code 1/,
      (host) => host.container('nginx'),
    ],
    [
      'a delivery that fails',
      (host) =>
        host.hook({
          ...host.own,
          pending_update_count: 1,
          last_error_date: host.now(),
          last_error_message: 'Wrong\u001b[31m response: 502',
        }),
      /hello: Telegram cannot deliver: Wrong \[31m response: 502\n/,
      (host) => host.hook(host.own),
    ],
    [
      'a kernel in which iptables has no rules for containers',
      (host) => host.note('rules4', loaded.replace('-j botgarden-forward', '')),
      /the firewall is off: iptables has no rules for containers/,
      (host) => host.note('rules4', loaded),
    ],
  ],
  [
    [
      'a token that is revoked',
      (host) => host.note(`hooks/${botToken}`, '{"ok":false,"error_code":401,"description":"Unauthorized"}'),
      /hello: Telegram rejects its token/,
      (host) => host.hook(host.own),
    ],
    [
      'an IPv6 without a firewall',
      (host) => host.write('/proc/net/if_inet6', 'x\n'),
      /the firewall is off: ip6tables has no rules for containers/,
      (host) => host.note('rules6', loaded),
    ],
  ],
  [
    [
      'a record that is torn',
      (host) => host.write('/var/lib/botgarden/bots/hello/current.json', '{"id":"1'),
      /hello: the record of its release cannot be read/,
      (host) => host.bot(),
    ],
  ],
  [
    [
      'a record that is empty',
      (host) => host.write('/var/lib/botgarden/bots/hello/current.json', ''),
      /hello: the record of its release is empty/,
      (host) => host.bot(),
    ],
  ],
  [
    [
      'an engine that is away',
      (host) => host.note('engine.down', ''),
      /vps1: Docker does not answer/,
      (host) => host.run('rm "$STATE/engine.down"'),
    ],
  ],
]

function good(host: Watched): void {
  host.certified()
}
