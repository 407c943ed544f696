// What is promised of a host and its bots, broken by hand, and what goes wrong with them besides: for the story of doctor.ts.
import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export interface Injected {
  readonly about: string
  /** Run on the host, or done here. */
  readonly how: string | (() => unknown)
  /** What doctor.ts must name, among others that follow from it. */
  readonly broken?: readonly string[]
  /** What status.ts must name, as `ID` or `ID BOT`. */
  readonly status?: readonly string[]
  /** Part of a command that one of them must say. */
  readonly mend: string
  /** Instead of typing what they say: it only shows where to look, or what is wrong is not the host's. */
  readonly back?: string | (() => unknown)
}

interface Around {
  /** The name of the host, and its inventory. */
  readonly host: string
  readonly file: string
  readonly bot: string
  /** The folder of the copies of its backups. */
  readonly copies: string
  inside(command: string): Promise<string>
  typed(command: string): Promise<string>
  /** Gives the bot another token. */
  revoke(): Promise<void>
}

/** Each list is injected together: what they break is told apart all the same. */
export function doctorFaults({ host, file, bot, copies, inside, typed, revoke }: Around): Injected[][] {
  const site = `npx zx playbooks/site.ts -i ${file}`
  const container = `botgarden-${bot}-blue`
  const backup = `npx zx playbooks/backup.ts -i ${file}`
  const release = `npx zx playbooks/bot.ts -i ${file} --name ${bot}`
  const newest = () => {
    const folder = join(copies, host)
    const names = readdirSync(folder).filter((name) => /^\d.*Z$/.test(name))
    return join(folder, names.toSorted().at(-1) ?? '')
  }
  const partOf = (folder: string) => readdirSync(folder).find((name) => name.endsWith('.age')) ?? ''
  return [
    [
      {
        about: 'nginx that answers in the place of a bot',
        how: async () => {
          await inside(`echo 'if ($uri = /tg/hello-bot) { return 200; }' >${ofOwn}`)
          await typed(site)
        },
        broken: [`webhook-secret ${bot}`],
        mend: `grep -n /tg/ ${ofOwn}`,
        back: `rm ${ofOwn}`,
      },
      {
        about: 'a certificate of another name',
        how: certificate(host, 'other.example', '-days 90'),
        broken: ['certificate'],
        status: ['certificate'],
        mend: `${site} --tags nginx,certbot`,
      },
      {
        about: 'a webhook that somebody has changed',
        how: `curl -s "http://telegram.sandbox:8081/bot$(cat ${secrets}/token)/setWebhook?url=https://${host}.sandbox/elsewhere"`,
        broken: [`telegram ${bot}`],
        status: [`webhook-url ${bot}`],
        mend: release,
      },
      {
        about: 'the network of another bot',
        how: `docker network connect botgarden-second-bot ${container}`,
        broken: ['networks', `bot-network ${bot}`],
        mend: `docker network disconnect botgarden-second-bot ${container}`,
      },
      {
        about: 'a copy here with another byte',
        how: () => appendFileSync(join(newest(), partOf(newest())), 'x'),
        broken: ['backup-here'],
        mend: backup,
      },
      {
        about: 'a backup on the host that was cut off',
        how: 'cd /var/lib/botgarden/backups && cd "$(ls -d [0-9]*Z | tail -n 1)" && truncate -s -20 "$(ls *.age | head -n 1)"',
        broken: ['backup-there'],
        mend: backup,
      },
    ],
    [
      {
        about: 'a container that publishes a port',
        how: stray('stray', '-p 8081:80'),
        broken: ['published', 'containers'],
        mend: 'docker rm -f stray',
      },
      { about: 'a container of nobody', how: stray('nobody', ''), broken: ['containers'], mend: 'docker rm -f nobody' },
      {
        about: "a container with the engine's socket",
        how: stray('holder', '-v /var/run/docker.sock:/var/run/docker.sock'),
        broken: ['engine', 'containers'],
        mend: 'docker rm -f holder',
      },
      {
        about: 'a secret in an environment',
        how: stray('leaky', `--env "A=$(cat ${secrets}/token)"`),
        broken: ['secrets-environment', 'containers'],
        mend: 'docker rm -f leaky',
      },
      {
        about: 'a secret in an argument',
        how: `setsid -f bash -c 'exec -a "shown $(cat ${secrets}/webhook-secret)" sleep 3000' >/dev/null 2>&1; sleep 1`,
        broken: ['secrets-arguments'],
        mend: 'ps -eo',
        back: `pkill -f '^shown '`,
      },
      {
        about: 'a secret that others than its owner may read',
        how: `chmod 640 ${secrets}/token`,
        broken: ['secret-files'],
        mend: `sudo chmod go= ${secrets}/token`,
      },
      {
        about: 'passwords for ssh',
        how: `sed -i 's/^PasswordAuthentication no/PasswordAuthentication yes/' /etc/ssh/sshd_config.d/00-botgarden.conf; systemctl reload ssh; sleep 1`,
        broken: ['login'],
        mend: `${site} --tags base`,
      },
      {
        about: 'a port that was opened by hand, and what listens there',
        how: 'ufw allow 9100/tcp; setsid -f python3 -m http.server 9100 >/dev/null 2>&1; sleep 1',
        broken: ['ports', 'firewall'],
        mend: `${site} --tags ufw`,
      },
    ],
    [
      {
        about: 'a firewall that is off',
        how: 'ufw disable',
        broken: ['firewall', `bot-host ${bot}`],
        status: ['firewall'],
        mend: `${site} --tags ufw`,
      },
      {
        about: 'a database that everybody may enter',
        how: `docker exec botgarden-postgres psql -qU postgres -c 'grant connect on database second_bot to public'`,
        broken: [`bot-database ${bot}`],
        mend: site,
      },
    ],
    [
      {
        about: 'addresses of credentials without their rule',
        how: `${cloud}; iptables -t mangle -S botgarden-forward | grep 169.254.0.0 | sed s/^-A/-D/ | xargs iptables -t mangle`,
        broken: ['firewall', `bot-metadata ${bot}`, 'bot-metadata second-bot'],
        mend: `${site} --tags ufw`,
      },
      {
        about: 'a token that was revoked',
        how: revoke,
        broken: [`telegram ${bot}`],
        status: [`token ${bot}`],
        mend: release,
      },
      {
        about: 'a certificate that has ended',
        how: certificate(host, `${host}.sandbox`, '-not_before 20260101000000Z -not_after 20260201000000Z'),
        broken: ['certificate'],
        status: ['certificate'],
        mend: `${site} --tags nginx,certbot`,
      },
      {
        about: 'a backup that is two days old',
        how: `rm -rf /var/lib/botgarden/backups/[0-9]*Z; ${clock('2 days ago')}; /opt/botgarden/backups/backup >/dev/null 2>&1; rm ${ownDate}`,
        broken: ['backup-there'],
        status: ['backups'],
        mend: backup,
      },
    ],
    [
      {
        about: 'a worker that is gone',
        how: `docker stop $(docker ps --format '{{.Names}}' | grep '^botgarden-${bot}.worker-')`,
        status: [`container ${bot}`],
        mend: site,
      },
      {
        about: 'a job that failed',
        how: `touch ${data}/fails; systemctl start botgarden-job-${bot}.tick.service || :; sleep 1; rm ${data}/fails`,
        status: [`job ${bot}`],
        mend: `${release} --run tick`,
      },
      {
        about: 'a disk without room and without inodes',
        // Of its own: a full one of the VPS would be one of this machine.
        how: 'cd /var/lib/botgarden; mount -t tmpfs -o size=1m,nr_inodes=2 none backups; head -c 1M /dev/zero >backups/filler || :',
        broken: ['backup-there'],
        status: ['disk', 'inodes'],
        mend: 'sudo du -xh --max-depth=3 /var/lib/botgarden/backups',
        back: 'umount /var/lib/botgarden/backups',
      },
      {
        about: 'a database server with too many connections',
        how: connections(),
        broken: ['containers', 'engine'],
        status: ['connections'],
        mend: 'docker rm -f many',
      },
      {
        about: 'a clock that is 90 seconds ahead',
        how: clock('90 seconds'),
        status: ['clock'],
        mend: `${site} --tags base`,
        back: `rm ${ownDate}`,
      },
      {
        about: 'nightly updates that fail',
        how: 'echo nonsense >/etc/apt/sources.list.d/broken.list; unattended-upgrade || :',
        status: ['upgrades'],
        mend: 'sudo unattended-upgrade --dry-run --debug',
        back: 'rm /etc/apt/sources.list.d/broken.list; unattended-upgrade',
      },
    ],
  ]
}

const secrets = '/etc/botgarden/secrets/bots/hello-bot'
const data = '$(readlink -f /var/lib/botgarden/data/hello-bot/current/app=data)'
const image = '$(docker inspect -f "{{.Config.Image}}" botgarden-postgres)'
const ofOwn = '/opt/botgarden/nginx/conf/own/stray.conf'
const ownDate = '/usr/local/bin/date'
const reload = 'docker exec botgarden-nginx nginx -c /etc/nginx/running/nginx.conf -s reload'

/** A container that nobody has asked for. */
export function stray(name: string, more: string): string {
  return `docker run -d --name ${name} ${more} --entrypoint sleep ${image} 3000`
}

/** Has the host tell another time than it is, to programs that ask `date`. */
function clock(other: string): string {
  return `printf '%s\\n' '#!/bin/sh' 'case $* in *-d*) exec /usr/bin/date "$@" ;; *) exec /usr/bin/date -d "${other}" "$@" ;; esac' >${ownDate}; chmod 755 ${ownDate}`
}

/** Has nginx serve a certificate of somebody's own. */
function certificate(host: string, name: string, valid: string): string {
  return `cd /etc/botgarden/tls/${host}.sandbox/current && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc ${valid} \
    -subj /CN=${name} -addext subjectAltName=DNS:${name} -keyout privkey.pem -out fullchain.pem 2>/dev/null && ${reload}; sleep 1`
}

/** Somebody with the password of the superuser, who opens 86 of 100 connections and keeps them. */
function connections(): string {
  const program = `
    const pg = (await import("pg")).default, { readFileSync } = await import("node:fs")
    const password = readFileSync("/run/secrets/pgpass", "utf8").trim().split(":")[4]
    const all = Array.from({ length: 86 }, () => new pg.Client({ host: "/run/postgresql", user: "postgres", password }))
    await Promise.allSettled(all.map((each) => each.connect()))
    console.log("open")
    setInterval(() => {}, 1000)`
  return `docker run -d --name many --network none --user 999 -v /run/botgarden/postgres:/run/postgresql -v /etc/botgarden/secrets/postgres:/run/secrets:ro \
    --entrypoint node "$(docker inspect -f '{{.Config.Image}}' $(docker ps -q --filter label=botgarden.bot=hello-bot | head -n 1))" --input-type=module -e '${program}'
    for i in $(seq 100); do docker logs many | grep -q open && break; sleep 0.2; done`
}

/** Another machine, which answers at the address where clouds hand out credentials. */
const cloud = `ip link add cloud0 type veth peer name cloud1; setsid -f unshare -n sleep 6000 >/dev/null 2>&1; sleep 0.5
  other=$(pgrep -f '^sleep 6000'); ip link set cloud1 netns $other; ip addr add 169.254.169.1/24 dev cloud0; ip link set cloud0 up
  nsenter -t $other -n sh -c 'ip addr add 169.254.169.254/24 dev cloud1; ip link set cloud1 up; ip link set lo up; ip route add default via 169.254.169.1
    setsid -f python3 -m http.server 80 >/dev/null 2>&1'
  for i in $(seq 50); do curl -so /dev/null http://169.254.169.254/ && break; sleep 0.1; done`
