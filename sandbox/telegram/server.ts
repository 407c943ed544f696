import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { authorities } from './authorities.ts'
import { handleApi } from './bot-api/api.ts'
import { run } from './bot-api/methods.ts'
import { handleControl } from './control/control.ts'
import { contentsIn } from './files/contents.ts'
import { listen, portOf, type Tls } from './http.ts'
import type { Options } from './options.ts'
import { loadState, storeIn } from './state/store.ts'
import type { World } from './state/world.ts'
import { startWorker, stopWorker } from './webhook/webhook.ts'

export interface Telegram {
  readonly apiPort: number
  readonly controlPort: number
  /** That of the same API by HTTPS, where there is a certificate. */
  readonly tlsPort: number | undefined
  /** Ends everything, with the state saved. */
  close(): Promise<void>
}

export interface Place {
  readonly host: string
  readonly apiPort: number
  readonly controlPort: number
  readonly tls?: Tls & { readonly port: number }
}

/** Starts the servers, and goes on with the webhooks that the saved state knows. */
export async function serve(options: Options, { host, apiPort, controlPort, tls }: Place): Promise<Telegram> {
  const state = loadState(options.stateFile)
  const store = storeIn(options.stateFile, state)
  const signal = new AbortController().signal
  const world: World = {
    ...{ options, state, authorities: authorities(options), runtimes: new Map(), save: store.soon },
    ...{ contents: contentsIn(options.stateFile && `${options.stateFile}.files`), startedAt: Date.now() },
    execute: (bot, method, args) => run(method, { world, bot, args, files: new Map(), signal }),
  }
  const toApi = (request: IncomingMessage, response: ServerResponse) => handleApi(world, request, response)
  const api = await listen(toApi, { host, port: apiPort })
  const secure = tls && (await listen(toApi, { host, port: tls.port, tls }))
  const control = await listen((request, response) => handleControl(world, request, response), {
    host,
    port: controlPort,
  })
  for (const bot of state.bots) startWorker(world, bot)
  return {
    apiPort: portOf(api),
    controlPort: portOf(control),
    tlsPort: secure && portOf(secure),
    async close() {
      for (const bot of state.bots) stopWorker(world, bot)
      await Promise.all([api, control, ...(secure ? [secure] : [])].map(end))
      await store.flush()
    },
  }
}

async function end(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}
