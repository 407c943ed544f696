import { newBot, newBotFlags } from '../commands/new-bot/index.ts'
import { plainPlay } from '../lib/cli/script.ts'

await plainPlay({
  name: 'new-bot',
  summary: 'makes a bot from the model, in a folder of its own, or of a repository that you have',
  usage: '--name NAME [--from FOLDER | --adopt FOLDER|GIT-URL | --ci github [--in FOLDER]]',
  flags: newBotFlags,
  standard: 'name',
  notes: `--adopt reads the Dockerfile, the compose file, .env.example and the like, and runs nothing. A folder gets its bot.yaml where
it is; a URL (https, ssh) is cloned to bots/NAME. What cannot be mapped is listed.`,
  examples: [
    ['--name shop-bot', 'a copy of bots/hello-bot'],
    ['--name shop-bot --adopt ../shop', 'a bot of a repository'],
    ['--name shop-bot --ci github --in ../shop', 'release it whenever that is pushed to'],
  ],
  run: (given) => newBot(given, async () => (await import('../commands/adopt/index.ts')).adopt),
})
