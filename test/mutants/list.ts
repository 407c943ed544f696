/** A change that takes something away which a document promises. */
export interface Named {
  readonly what: string
  readonly file: string
  readonly find: string
  readonly replace: string
  /** The unit test that fails then, from test/. */
  readonly unit?: string
  /** The story on the sandbox, and how the title of the test begins that fails there. */
  readonly sandbox?: readonly [story: string, title: string]
}

const umask = '(umask 077; '

export const named: readonly Named[] = [
  {
    what: 'containers keep their capabilities',
    file: 'lib/resources/compose.ts',
    find: `cap_drop: ['ALL']`,
    replace: 'cap_drop: []',
    unit: 'roles/confined.test.ts',
    sandbox: ['bots.test.ts', 'a bot that runs has no capability, and none that it could get: CapBnd'],
  },
  {
    what: 'a process may get rights that its parent lacks',
    file: 'lib/resources/compose.ts',
    find: `security_opt: ['no-new-privileges:true']`,
    replace: 'security_opt: []',
    unit: 'roles/confined.test.ts',
    sandbox: ['bots.test.ts', 'nothing that a bot starts gets a right'],
  },
  {
    what: 'a process that is to be single runs beside the one of the next version',
    file: 'roles/bot/release/processes/steps.ts',
    find: 'return oneWriter || versions',
    replace: 'return false && versions',
    unit: 'roles/bot/processes/switch.test.ts',
  },
  {
    what: 'a bot may start any number of processes',
    file: 'roles/bot/release/service.ts',
    find: '    pids_limit: 100,\n',
    replace: '',
    unit: 'roles/confined.test.ts',
    sandbox: ['bots.test.ts', 'a bot that starts processes without end'],
  },
  {
    what: 'Compose puts its own into what stands in an environment',
    file: 'roles/bot/release/service.ts',
    find: `value.replaceAll('$', '$$$$')`,
    replace: 'value',
    unit: 'roles/confined.test.ts',
    sandbox: ['bots.test.ts', 'after all that the next good version takes over'],
  },
  {
    what: 'what was stopped by hand does not come back with a boot',
    file: 'lib/resources/compose.ts',
    find: `restart: 'always', ...service`,
    replace: `restart: 'unless-stopped', ...service`,
    unit: 'roles/confined.test.ts',
    sandbox: ['bots.test.ts', 'whatever runs comes back with every boot'],
  },
  {
    what: 'a version that serves is not bound to a boot',
    file: 'roles/bot/release/switch-script.ts',
    find: `const bind = sh\`docker update --restart always`,
    replace: `const bind = sh\`docker update --restart no`,
    unit: 'roles/bot/release-on-host.test.ts',
  },
  {
    what: 'the database server has a network',
    file: 'roles/postgres/index.ts',
    find: `    network_mode: 'none',\n`,
    replace: '',
    unit: 'roles/confined.test.ts',
    sandbox: ['database.test.ts', 'the server has no network'],
  },
  {
    what: 'a bot is let in by TCP to any database',
    file: 'lib/platform/postgres-access.ts',
    find: `\`host  "\${database}"`,
    replace: '`host  all',
    unit: 'roles/bot/database.test.ts',
    sandbox: ['faults/bots/tcp.test.ts', 'it is let in as its own role'],
  },
  {
    what: 'the network of a bot and the server leads out',
    file: 'roles/bot/database/network.ts',
    find: `'--internal', `,
    replace: '',
    unit: 'roles/bot/database.test.ts',
    sandbox: ['faults/bots/tcp.test.ts', 'with TCP it has a network with the server'],
  },
  {
    what: 'what a dump says to psql itself is done',
    file: 'roles/bot/database/load.sh',
    find: ` -c "\\\\restrict $key"`,
    replace: '',
    unit: 'roles/bot/database-scripts.test.ts',
    sandbox: ['faults/bots/tcp.test.ts', 'a dump comes in with the first release'],
  },
  {
    what: 'what reads a dump has a network',
    file: 'roles/bot/database/fill.ts',
    find: `'--network', 'none', `,
    replace: '',
    unit: 'roles/bot/database.test.ts',
  },
  {
    what: 'replication is not refused by name',
    file: 'roles/postgres/templates/pg_hba.conf.mustache',
    find: 'local  replication  all  reject\n',
    replace: '',
    unit: 'roles/server.test.ts',
    sandbox: ['database.test.ts', 'a setting that needs a restart is in force after the run'],
  },
  {
    what: 'a host gets hold of the operator’s agent',
    file: 'lib/ssh/ssh-arguments.ts',
    find: `ForwardAgent: 'no'`,
    replace: `ForwardAgent: 'yes'`,
    unit: 'lib/resources/private.test.ts',
    sandbox: ['connection.test.ts', 'no host gets hold of the agent'],
  },
  {
    what: 'of two secrets the shorter one is masked first',
    file: 'lib/std/secret.ts',
    find: 'other.length - one.length',
    replace: 'one.length - other.length',
    unit: 'lib/resources/private.test.ts',
  },
  {
    what: 'secrets are masked in the order in which they came',
    file: 'lib/std/secret.ts',
    find: '.sort((one, other) => other.length - one.length)',
    replace: '',
    unit: 'lib/resources/private.test.ts',
  },
  {
    what: 'a rollback goes to whatever was released last',
    file: 'commands/deploy/releases.ts',
    find: 'past.indexOf(serving) + 1',
    replace: '0',
    unit: 'commands/deploy/releases.test.ts',
  },
  {
    what: 'a rollback may go to the version that serves',
    file: 'commands/deploy/releases.ts',
    find: 'past.indexOf(serving) + 1',
    replace: 'past.indexOf(serving) - 1',
    unit: 'commands/deploy/releases.test.ts',
  },
  {
    what: 'a switch that fails does not bring nginx back',
    file: 'roles/bot/release/switch-script.ts',
    find: 'route_is_restored || route_restore; then',
    replace: ':; then',
    unit: 'roles/bot/release-on-host.test.ts',
  },
  {
    what: 'what a cut run had nginx lead to is not taken back',
    file: 'roles/bot/release/switch-script.ts',
    find: 'sh`route_is_restored || route_restore`',
    replace: 'nothing',
    unit: 'roles/bot/release-on-host.test.ts',
  },
  {
    what: 'a file that is right passes for one that nginx has loaded',
    file: 'roles/bot/release/nginx-route.sh',
    find: ' && nginx_is_current',
    replace: '',
    unit: 'roles/bot/release-on-host.test.ts',
  },
  // One function installs them all: configuration, secrets, logins of registries.
  ...['lib/shell/install-file.test.ts', 'lib/resources/private.test.ts', 'roles/bot/secrets-and-removal.test.ts'].map(
    (unit) => ({
      what: `a file is open to all while it is written, by ${unit}`,
      file: 'lib/shell/install-file.ts',
      find: umask,
      replace: '(',
      unit,
    }),
  ),
  {
    what: 'the key of a pair of one’s own is open to all while it is written',
    file: 'roles/certbot/files.ts',
    find: umask,
    replace: '(',
    unit: 'roles/certbot/scripts.test.ts',
  },
  // One function takes them all: before migrations, before a restore, and before a bot goes.
  ...[
    'lib/platform/database-dump.test.ts',
    'roles/bot/release-on-host.test.ts',
    'roles/bot/secrets-and-removal.test.ts',
  ].flatMap((unit) => [
    {
      what: `a dump is open to all, by ${unit}`,
      file: 'lib/platform/database-dump.sh',
      find: `${umask}docker exec`,
      replace: '(docker exec',
      unit,
    },
    {
      what: `a dump counts that nobody has read, by ${unit}`,
      file: 'lib/platform/database-dump.sh',
      find: `    docker exec -i botgarden-postgres pg_restore --file=- <"$taken.new" >/dev/null &&\n`,
      replace: '',
      unit,
    },
  ]),
  {
    what: 'a daemon is not told that its old files are back',
    file: 'lib/engine/revert.sh',
    find: 'sh ./restore\n',
    replace: '',
    unit: 'lib/engine/revert-script.test.ts',
    sandbox: ['guard.test.ts', 'an sshd that lets nobody in is taken back at once'],
  },
  {
    what: 'the error log has what a bot appends to its URL',
    file: 'roles/bot/release/nginx-route.ts',
    find: "'error_log /dev/null emerg;'",
    replace: "'# error_log'",
    unit: 'roles/bot/webhook.test.ts',
  },
  {
    what: 'a run prints what a bot has appended to its URL',
    file: 'roles/bot/telegram/own-webhook.sh',
    find: `  [ "$3" = whole ] || hook_url`,
    replace: `  : || hook_url`,
    unit: 'roles/bot/telegram-scripts.test.ts',
  },
  {
    what: 'a job begins while a release switches',
    file: 'roles/bot/jobs/resource.ts',
    find: '      ${holdJobs(instance.bot)}`,\n    end',
    replace: '      `,\n    end',
    unit: 'roles/bot/jobs/jobs.test.ts',
  },
]
