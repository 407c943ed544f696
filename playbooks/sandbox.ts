import { main } from '../lib/cli/main.ts'
import { scriptArguments } from '../lib/cli/options.ts'
import { writeErr } from '../lib/std/output.ts'
import { openChat, print, printStatus, printToken, shell } from '../sandbox/cli/actions.ts'
import { type Action, type Order, parseOrder } from '../sandbox/cli/parse.ts'
import { down, up } from '../sandbox/index.ts'

const usage = `A throwaway Debian VPS on this machine, for trying botgarden out and for its tests.

  npx zx playbooks/sandbox.ts up [--hosts N] [--memory 1g] [--with python,valkey,node22]
                                                             boot vps1 … vpsN (default: one, with 2g); --with: images that
                                                             bots build on (node20 and node24 too), made when first asked for
  npx zx playbooks/sandbox.ts status                         what runs, and where
  npx zx playbooks/sandbox.ts ssh [HOST] [-- COMMAND]        a shell on HOST (default: vps1), or one command
  npx zx playbooks/sandbox.ts chat BOT [--as CHAT_ID] [--language en]
                                                             talk to BOT as one of its users (default: 1), or pipe lines in;
                                                             the line !help: files, payments, inline queries, Mini Apps
  npx zx playbooks/sandbox.ts token BOT                      BOT's token at the sandbox's Telegram, made if it is not there
  npx zx playbooks/sandbox.ts down [--images]                remove all of it; --images: the cached images too
`
const progress = writeErr

const actions: Readonly<Record<Action, (order: Order) => Promise<number>>> = {
  up: ({ hosts, memory, with: standIns }) =>
    up({ ...(hosts && { hosts }), ...(memory && { memory }), standIns, progress }).then(printStatus),
  status: printStatus,
  ssh: ({ word = 'vps1', command }) => shell(word, command),
  chat: ({ word = '', as, language }) => openChat(word, as, language),
  token: ({ word = '' }) => printToken(word),
  down: ({ images }) => down({ images, progress }).then(() => 0),
}

await main(async () => {
  const order = parseOrder(scriptArguments(process.argv, process.env, 'sandbox.ts'))
  return order === 'help' ? print(usage) : actions[order.action](order)
})
