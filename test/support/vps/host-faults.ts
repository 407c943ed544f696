import type { TelegramClient } from '../../../sandbox/telegram/client.ts'

/** A fault of a host with hello-bot, its worker and its job, how an alert names it, and what mends it. */
export interface HostFault {
  readonly what: string
  /** Shell text for the host, as root. */
  readonly breaks: string
  readonly said: RegExp
  readonly mends: string
  /** What happens at Telegram besides, after `breaks` and after `mends`. */
  readonly people?: (telegram: TelegramClient) => Promise<unknown>
}

const state = '/var/lib/botgarden'
const watch = '/run/botgarden/watch'
const container = `$(docker ps --all --format '{{.Names}}' | grep -E '^botgarden-hello-bot-(blue|green)$')`
const worker = `$(docker ps --all --format '{{.Names}}' | grep -E '^botgarden-hello-bot.worker-(blue|green)$')`
const image = `$(docker inspect -f '{{.Image}}' botgarden-nginx)`
const loopOf = (name: string, options = '') =>
  `docker run -d --name ${name} ${options} --entrypoint sleep ${image} 3600`
/** Restarts and lack of memory are told for 10 minutes, what is in logs for 5. */
const forget = (what: string) => `rm -f ${watch}/${what}`
// Telegram has got 5xx meanwhile.
const again = (name: string) => `docker start ${name}; ${forget('containers')}; ${forget('requests')}`
const api = (method: string, form = '') =>
  `token=$(cat /etc/botgarden/secrets/bots/hello-bot/token); sleep 1.1; curl -s ${form} "http://telegram.sandbox:8081/bot$token/${method}"`
const job = `systemctl start botgarden-job-hello-bot.tick.service || :; sleep 1`
const data = `$(readlink -f ${state}/data/hello-bot/current/app=data)`
const lastGood = `$(sed -n 's/.*"lastGood": *"\\([^"]*\\)".*/\\1/p' /opt/botgarden/backups/status.json)`
const unwell = (text: string) => ({ breaks: text, mends: '/opt/botgarden/backups/backup' })
/** A disk of its own: a full one of the VPS would be one of this machine. */
const disk = (options: string) => `mount -t tmpfs -o ${options} none ${state}/backups`
const dropIn = '/run/systemd/system/certbot.service.d'
const generation = '$(readlink -f /opt/botgarden/nginx/running)'
const hangup = 'docker exec botgarden-nginx sh -c "kill -HUP 1"'

/** Those that most operators meet. */
export function commonFaults(domain: string): HostFault[] {
  const registered = api(
    'setWebhook',
    `-d url=https://${domain}/tg/hello-bot -d "secret_token=$(cat /etc/botgarden/secrets/bots/hello-bot/webhook-secret)"`,
  )
  return [
    {
      what: 'a container is killed',
      breaks: `docker kill ${container}`,
      said: /hello-bot: its container botgarden-hello-bot-\w+ is not running/,
      mends: again(container),
    },
    {
      what: 'the worker is gone',
      breaks: `docker stop ${worker}`,
      said: /hello-bot: its container botgarden-hello-bot\.worker-\w+ is not running/,
      mends: again(worker),
    },
    {
      what: 'a crash loop',
      breaks: `for i in 1 2 3 4; do kill -9 "$(docker inspect -f '{{.State.Pid}}' ${container})"; sleep 6; done`,
      said: /hello-bot-\w+ (has ended and was started again \d+ times|keeps ending)/,
      mends: forget('containers'),
    },
    {
      what: 'out of memory',
      // A run that begins in the same second would be told of it by the next one once more.
      breaks: `docker exec ${container} node -e 'const a = []; for (;;) a.push(Buffer.alloc(1e7, 1))' >/dev/null 2>&1 || :; sleep 1.1`,
      said: /hello-bot-\w+ ran out of memory/,
      // The engine goes by the run of a container.
      mends: `docker restart ${container}; ${forget('containers')}`,
    },
    {
      what: 'a disk is full',
      breaks: `${disk('size=1m')}; head -c 1M /dev/zero >${state}/backups/filler || :`,
      said: /the disk at \S+backups is 100 % full/,
      mends: `umount ${state}/backups`,
    },
    {
      what: 'PostgreSQL is down',
      breaks: 'docker stop botgarden-postgres',
      said: /botgarden-postgres is not running/,
      mends: 'docker start botgarden-postgres',
    },
    {
      what: 'nginx is down',
      breaks: 'docker stop botgarden-nginx',
      said: /botgarden-nginx is not running/,
      mends: 'docker start botgarden-nginx',
    },
    {
      what: 'a poller has taken the webhook',
      breaks: `${api('deleteWebhook')}; ${api('getUpdates')}`,
      said: /hello-bot: its webhook is gone: somebody polls/,
      mends: registered,
    },
    {
      what: 'the webhook is changed by hand',
      breaks: api('setWebhook', '-d url=https://pebble.sandbox/x'),
      said: /hello-bot: its webhook leads elsewhere: to pebble\.sandbox/,
      mends: registered,
    },
    {
      what: 'a job fails',
      breaks: `touch ${data}/fails; ${job}`,
      said: /hello-bot: its job tick failed: exit code 3/,
      mends: `rm ${data}/fails; ${job}`,
    },
    {
      what: 'the backup is late',
      ...unwell(
        `sed -i "s/\\"lastGood\\": *\\"[^\\"]*\\"/\\"lastGood\\": \\"$(date -u -d '30 hours ago' +%FT%H%M%SZ)\\"/" /opt/botgarden/backups/status.json`,
      ),
      said: /the last good backup is 30 hours old/,
    },
  ]
}

export function rarerFaults(domain: string): HostFault[] {
  const tls = `/etc/botgarden/tls/${domain}`
  const certificate = (name: string, days: number) =>
    `cd ${tls}; [ -e kept ] || cp -a "$(readlink -f current)" kept
     openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days ${days} -subj /CN=${name} -addext subjectAltName=DNS:${name} -keyout current/privkey.pem -out current/fullchain.pem 2>/dev/null
     ${hangup}`
  const own = `cd ${tls}; cp kept/*.pem current/; rm -rf kept; ${hangup}`
  return [
    {
      what: 'no inodes',
      breaks: `${disk('nr_inodes=4')}; touch ${state}/backups/1 ${state}/backups/2 ${state}/backups/3`,
      said: /100 % of the inodes of the disk at \S+backups are used/,
      mends: `umount ${state}/backups`,
    },
    {
      what: 'a certificate ends soon',
      breaks: certificate(domain, 3),
      said: /the certificate of \S+ ends /,
      mends: own,
    },
    {
      what: 'a certificate is of another name',
      breaks: certificate('other.sandbox', 90),
      said: /the certificate that is served for \S+ is that of another name/,
      mends: own,
    },
    {
      what: 'a backup cannot be read any more',
      ...unwell(
        `file=$(ls ${state}/backups/${lastGood}/*.age | head -n 1); head -c 20 "$file" >"$file.cut"; mv "$file.cut" "$file"`,
      ),
      said: /the backup \S+ cannot be used: \d+ of its \d+ bytes are there/,
    },
    {
      what: 'a backup fails',
      ...unwell(
        'docker stop botgarden-postgres >/dev/null; /opt/botgarden/backups/backup || :; docker start botgarden-postgres',
      ),
      said: /the backup of \S+ failed: /,
    },
    {
      what: 'too many connections',
      breaks: `docker exec ${container} node --input-type=module -e '
        import pg from "pg"
        const all = Array.from({ length: 30 }, () => new pg.Client())
        await Promise.allSettled(all.map((each) => each.connect()))
        process.exit()'`,
      said: /PostgreSQL has refused \d+ connections within 5 minutes/,
      mends: forget('requests'),
    },
    {
      what: 'updates wait, since nobody answers',
      breaks: `docker stop ${container}`,
      people: (telegram) =>
        telegram.actAll(
          `${domain.replace('.sandbox', '')}-hello-bot`,
          Array.from({ length: 6 }, () => ({ chat: 99, text: '/start', language: 'en' })),
        ),
      said: /hello-bot: \d+ updates wait at Telegram, and they do not get fewer/,
      mends: again(container),
    },
    {
      what: 'requests end with 5xx',
      breaks: `docker stop ${container}; for i in 1 2 3 4 5 6; do ${request(domain)}; done; ${again(container)}`,
      said: /hello-bot: \d+ of \d+ updates were answered with 5xx within 5 minutes/,
      mends: forget('requests'),
    },
    {
      what: 'the firewall is off',
      breaks: 'ufw disable',
      said: /the firewall is off: ufw is disabled/,
      mends: 'ufw --force enable',
    },
    {
      what: 'the rules of the firewall are flushed',
      breaks: 'iptables-save >/tmp/rules; iptables -P INPUT ACCEPT; iptables -F INPUT',
      said: /the firewall is off: iptables /,
      mends: 'iptables-restore </tmp/rules',
    },
    {
      what: 'a stray published port',
      breaks: loopOf('stray', '-p 8099:80'),
      said: /the container stray publishes port 8099\/tcp, which no rule of ufw opens/,
      mends: 'docker rm -f stray',
    },
    {
      what: 'a bot that nobody knows',
      breaks: loopOf('botgarden-ghost-blue'),
      said: /an unknown bot: the container botgarden-ghost-blue is of no bot that this host has/,
      mends: 'docker rm -f botgarden-ghost-blue',
    },
    {
      what: 'nginx refuses what is in its folder',
      breaks: 'echo "nonsense;" >/opt/botgarden/nginx/conf/own/broken.conf',
      said: /nginx does not run the configuration in \/opt\/botgarden\/nginx\/conf/,
      mends: 'rm /opt/botgarden/nginx/conf/own/broken.conf',
    },
    {
      what: 'nginx refuses what it is told to load',
      breaks: `echo "nonsense;" >${generation}/own/broken.conf; ${hangup}`,
      said: /nginx refuses its configuration: unknown directive "…" in \S+broken\.conf/,
      mends: `rm ${generation}/own/broken.conf; ${hangup}; ${forget('requests')}`,
    },
    {
      what: 'the clock is off',
      breaks: `printf '%s\\n' '#!/bin/sh' 'case $1 in -d) exec /usr/bin/date "$@" ;; *) exec /usr/bin/date -d "10 seconds" "$@" ;; esac' >/usr/local/bin/date; chmod 755 /usr/local/bin/date`,
      said: /the clock is off by (9|1\d) seconds/,
      mends: 'rm /usr/local/bin/date',
    },
    {
      what: 'a reboot is due',
      breaks: 'echo linux-image-amd64 >/run/reboot-required.pkgs; touch /run/reboot-required',
      said: /it needs a reboot, for linux-image-amd64/,
      mends: 'rm /run/reboot-required /run/reboot-required.pkgs',
    },
    {
      what: 'unattended-upgrades fail',
      breaks: 'echo nonsense >/etc/apt/sources.list.d/broken.list; unattended-upgrade || :',
      said: /unattended-upgrades fails: /,
      mends: 'rm /etc/apt/sources.list.d/broken.list; unattended-upgrade',
    },
    {
      what: 'a unit has failed',
      breaks: `mkdir -p ${dropIn}; printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' >${dropIn}/zz-fault.conf; systemctl daemon-reload; systemctl start certbot.service || :`,
      said: /certbot\.service has failed/,
      mends: `rm ${dropIn}/zz-fault.conf; systemctl daemon-reload; systemctl reset-failed certbot.service`,
    },
    {
      what: 'the engine is away',
      breaks: 'systemctl stop docker.socket docker.service',
      said: /Docker does not answer/,
      mends: 'systemctl start docker.service',
    },
  ]
}

/** An update as Telegram would send it, by the door that strangers have as well. */
function request(domain: string): string {
  return `curl -sk --resolve ${domain}:443:127.0.0.1 https://${domain}/tg/hello-bot -o /dev/null -H 'content-type: application/json' -H "x-telegram-bot-api-secret-token: $(cat /etc/botgarden/secrets/bots/hello-bot/webhook-secret)" -d '{"update_id":1}'`
}
