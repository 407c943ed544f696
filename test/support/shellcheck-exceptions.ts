import type { Finding } from './shellcheck/check.ts'

/** What shellcheck finds and is right as it is: of this code, at these places, in lines that hold this text. */
export interface Exception {
  readonly code: number
  /** All places; one that is a part of a run has the same text in each. */
  readonly places: readonly string[]
  readonly line?: string
  readonly why: string
}

export function isExcepted({ code, places, line = '' }: Exception, finding: Finding): boolean {
  return finding.code === code && places.includes(finding.place) && finding.line.includes(line)
}

const backup = ['file /opt/botgarden/backups/backup']
const certbotFiles = ['file /etc/letsencrypt/renewal-hooks/deploy/botgarden', 'file /opt/botgarden/certbot/serve']
/** Where lib/nginx.ts puts `nginx_reload`. A converged host has its text in two files: another text would be a change. */
const reload = ['step bot', 'step certificate', 'step nginx', 'step release', 'step renewed-secrets', ...certbotFiles]
/** Where lib/certificate.ts puts `install_pair`; in the same two files. */
const pair = ['step certificate', 'step certificate-placeholder', ...certbotFiles]
const dropIns = ['docker', 'ssh', 'systemd-journald', 'apt-daily-upgrade'].map(
  (name) => `file /etc/systemd/system/${name}.service.d/botgarden.conf`,
)
const readings = [
  ...[
    'certificate',
    'database-contents',
    'group',
    'image',
    'lineage',
    'link',
    'process-containers',
    'replicas',
    'program',
    'record',
    'swap',
    'text',
  ],
  'webhook',
]
const lists = [...readings.map((kind) => `reading ${kind}`), 'step guard', 'step release', 'bot.ts: request 3']

export const exceptions: readonly Exception[] = [
  // Lists that are written into the text.
  {
    code: 2043,
    places: [...lists, 'step image'],
    why: 'a list of names from the plan, which holds one name here and may hold many',
  },
  { code: 2041, places: lists, why: 'the same, and this one name has blanks' },

  {
    code: 2034,
    places: ['step release'],
    line: 'data_name=',
    why: 'name_copy sets it for who calls it, and a repair only looks at the copies',
  },

  {
    code: 2016,
    places: ['doctor: attempts'],
    line: 'program=',
    why: 'a script that another shell runs, in a container',
  },
  {
    code: 2016,
    places: ['step release'],
    line: 'record_release ',
    why: 'a reference like ${token} is recorded as it was written',
  },

  {
    code: 2016,
    places: ['step release', 'step webhook'],
    line: 'secret_advice=',
    why: 'it names a reference of bot.yaml as it is written there',
  },

  {
    code: 2016,
    places: ['reading process-containers'],
    line: '{{$pid := .State.Pid}}',
    why: 'a template of Docker, whose variables are its own; of its client alone shellcheck knows that',
  },

  // Of files on hosts, whose text stays as it is.
  { code: 1007, places: backup, why: 'several variables are emptied in one line: NAME= before a blank is meant' },
  {
    code: 2015,
    places: backup,
    line: '|| fail',
    why: 'fail does not return, and is to come after a failure of either',
  },
  { code: 2034, places: backup, line: 'for second in', why: 'a loop that counts tries' },
  { code: 2046, places: backup, line: 'set -- $(', why: 'splits sums and sizes into words: they hold no blanks' },
  { code: 2046, places: backup, line: '$(ls -d etc/', why: 'splits names that are fixed, those that are there' },
  { code: 2174, places: dropIns, why: 'the parent is always there: /run or /var/lib' },
  { code: 2002, places: dropIns, why: 'cat is given several files, or globs; here it is one' },
  { code: 1091, places: ['file /etc/ufw/after.init'], why: "ufw's own file, on the host" },
  { code: 2030, places: reload, why: 'nginx_reload is a shell of its own, and the functions that it calls are in it' },
  { code: 2031, places: reload, why: 'the same' },
  { code: 2086, places: reload, line: "grep -Ls 'shutting down' $former", why: 'a list of paths below /proc' },
  {
    code: 2143,
    places: reload,
    line: "grep -Ls 'shutting down'",
    why: 'with -L, -q tells nothing of the files without',
  },
  { code: 2086, places: pair, line: '/etc/botgarden/tls/$1/current', why: 'a domain or an address: no blanks' },
  { code: 2231, places: pair, line: '/etc/botgarden/tls/$1/*/', why: 'the same' },
  {
    code: 2317,
    places: ['file /opt/botgarden/certbot/serve'],
    why: 'nginx_reload is defined twice, and the first of the two is not called',
  },

  {
    code: 2317,
    places: ['step bot', 'step certificate', 'step nginx'],
    line: '[ "$(nginx_says)" = "$(nginx_checksum',
    why: 'nginx_is_current comes with the other functions, and only a release and the file `serve` call it',
  },

  // Called by a trap, which shellcheck does not follow.
  { code: 2317, places: ['bot.ts --logs'], why: 'end_following is run by the trap of EXIT' },
  {
    code: 2317,
    places: ['step release', 'step postgres'],
    why: 'revert_switch, and what it calls, is run by the trap of EXIT',
  },
  {
    code: 2317,
    places: ['step renewed-secrets'],
    why: 'what checks a container comes as a whole, and a restart does not call all of it',
  },
  {
    code: 2317,
    places: [
      'step restore',
      'step drill',
      'step restore-data',
      'step drill-data',
      'step restore-cache',
      'step drill-cache',
      "restore a database that is no bot's",
    ],
    why: 'cleanup, and what it calls, is run by the trap of EXIT',
  },

  {
    code: 2317,
    places: ['step bot', 'save'],
    why: 'the functions of replicas and of a relay come as a whole, and a removal or one side calls some of them',
  },
  {
    code: 2016,
    places: ['step release'],
    line: 'replicas_body() {',
    why: 'what a replica runs to say whether it is ready is text for its own shell',
  },

  // Words that are to be split.
  { code: 2086, places: ['reading webhook'], line: 'set -- $each', why: 'NAME URL HOW, made of words without blanks' },
  { code: 2086, places: ['reading sshd'], line: 'effective whole $options', why: 'SSHD_OPTS is split by its unit too' },
  {
    code: 2046,
    places: ['reading keys'],
    line: 'set -- $(/usr/sbin/sshd',
    why: 'a list of paths; globs are off by set -f',
  },

  // Others that are meant.
  {
    code: 1003,
    places: ['step keys', 'step release'],
    line: `sed `,
    why: "sed's $a\\ ends a last line that has no end",
  },
  { code: 1091, places: ['facts'], line: '/etc/os-release', why: 'a file of the host' },
  {
    code: 2016,
    places: ['unit of a step'],
    line: '($BOTGARDEN_GUARD_SECONDS)',
    why: 'the name of a variable, as text',
  },
  { code: 2034, places: ['unit of a step'], line: 'passed=', why: 'for the steps that have more to do when they pass' },
  { code: 2034, places: ['step file'], line: 'runs=crashing', why: 'for nginx_reload, which has the same function' },
  { code: 2069, places: ['step postgres'], why: 'only the errors are kept: stdout is dropped on purpose' },

  // Of the sandbox and of the tests, never on a host.
  {
    code: 2013,
    places: ['sandbox/vps/boot.sh'],
    why: 'read to its end before the first mount changes it; paths without blanks',
  },
  { code: 2174, places: ['sandbox/images/postgres/docker-entrypoint.sh'], why: 'as in the official image' },
  { code: 2015, places: ['sandbox/images/node/docker-entrypoint.sh'], why: 'as in the official image' },
  {
    code: 1090,
    places: ['nginx', 'postgres'].map((name) => `sandbox/images/${name}/docker-entrypoint.sh`),
    why: 'scripts that a user of the image puts there',
  },
  { code: 1091, places: ['test/support/stand-ins/docker.sh'], why: 'notes of a test, if it makes any' },
]
