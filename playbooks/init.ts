import '../lib/cli/compile-cache.ts'

const { plainPlay } = await import('../lib/cli/script.ts')
const { allRoles } = await import('../roles/index.ts')
const { init, initFlags } = await import('../commands/init/index.ts')
const { makeFromModel } = await import('../commands/new-bot/index.ts')

await plainPlay({
  name: 'init',
  summary: 'asks for your VPS and your first bot, proves the answers, and writes the inventory and .env',
  usage: '[options]',
  flags: initFlags,
  standard: 'host',
  notes: `On a terminal it asks for what no flag says. Again: it changes what is answered otherwise, and nothing else.
Exit codes: 0 ready · 1 an answer is wrong or missing · 3 something is left to put right, or the host or the token was refused ·
4 the host could not be reached`,
  examples: [
    ['', 'asks for everything'],
    ['--host 203.0.113.7 --domain bots.example.org --email none --bot hello-bot', 'the rest is asked'],
    ['-i ../garden/inventory.yaml', 'an inventory in a repository of yours'],
  ],
  run: (given) => init(given, { roles: allRoles, makeBot: makeFromModel }),
})
