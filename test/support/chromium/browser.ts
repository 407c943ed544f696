import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Fields, type Protocol, startBrowser } from './protocol.ts'

export interface Page {
  /** The value of an expression in the page, or in its first frame. */
  value<T>(expression: string, where?: 'page' | 'frame'): Promise<T>
  /** Waits, at most 30 s, until an expression is true. */
  until(expression: string, where?: 'page' | 'frame'): Promise<void>
  /** Presses the middle of an element with the mouse. */
  click(selector: string): Promise<void>
  /** The address of the first frame; that of an error page where it was not let in. */
  frameUrl(): Promise<string>
}

export interface Browser {
  /** Opens a page. With `html` the page itself is that, and nothing is asked for it. */
  open(url: string, html?: string): Promise<Page>
  close(): Promise<void>
}

/**
 * Headless Chromium that knows the names of `addresses` and no other, and trusts the certificates with these keys (base64 of the
 * SHA-256 of their SPKI) beside those that its machine trusts.
 */
export async function openBrowser(addresses: Readonly<Record<string, string>>, keys: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'botgarden-chromium-'))
  const known = Object.entries(addresses).map(([name, address]) => `MAP ${name} ${address}`)
  const protocol = startBrowser('chromium', [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run'],
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--mute-audio'],
    // All frames of a page are in one process, so one session sees them. Addresses of the sandbox are those of a local network,
    // which a public page may not lead to without being asked.
    ...[
      '--disable-site-isolation-trials',
      '--disable-features=IsolateOrigins,site-per-process,LocalNetworkAccessChecks',
    ],
    `--host-resolver-rules=${[...known, 'MAP * ~NOTFOUND'].join(', ')}`,
    `--ignore-certificate-errors-spki-list=${keys.join(',')}`,
    `--user-data-dir=${folder}`,
    'about:blank',
  ])
  const browser: Browser = {
    open: (url, html) => openPage(protocol, url, html),
    close: async () => {
      await protocol.end()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  return browser
}

interface Tree {
  readonly frame: { readonly id: string; readonly url: string }
  readonly childFrames?: readonly Tree[]
}

async function openPage(protocol: Protocol, url: string, html?: string): Promise<Page> {
  const { targetId } = await protocol.send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' })
  const attached = { targetId, flatten: true }
  const { sessionId } = await protocol.send<{ sessionId: string }>('Target.attachToTarget', attached)
  const send = <T = Fields>(method: string, params?: Fields) => protocol.send<T>(method, params, sessionId)

  const firstFrame = async () => {
    const { frameTree } = await send<{ frameTree: Tree }>('Page.getFrameTree')
    const [first] = frameTree.childFrames ?? []
    if (first === undefined) throw new Error(`${url} has no frame`)
    return first.frame
  }
  const contextOf = async (where: 'page' | 'frame') => {
    if (where === 'page') return {}
    const world = { frameId: (await firstFrame()).id }
    const { executionContextId } = await send<{ executionContextId: number }>('Page.createIsolatedWorld', world)
    return { contextId: executionContextId }
  }
  const page: Page = {
    value: async <T>(expression: string, where: 'page' | 'frame' = 'page') => {
      const asked = { expression, awaitPromise: true, returnByValue: true, ...(await contextOf(where)) }
      const answer = await send<{ result: { value: T }; exceptionDetails?: Fields }>('Runtime.evaluate', asked)
      if (answer.exceptionDetails !== undefined)
        throw new Error(`${expression}: ${JSON.stringify(answer.exceptionDetails)}`)
      return answer.result.value
    },
    until: async (expression, where) => {
      for (let tries = 0; tries < 300; tries++) {
        if (await page.value<boolean>(`Boolean(${expression})`, where)) return
        await pause(100)
      }
      const shown = await page.value<string>('document.documentElement.outerHTML', where)
      throw new Error(`${url}: never ${expression}:\n${shown}`)
    },
    click: async (selector) => {
      const middle = `(() => { const { x, y, width, height } = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect(); return { x: x + width / 2, y: y + height / 2 } })()`
      const at = { ...(await page.value<{ x: number; y: number }>(middle)), button: 'left', clickCount: 1 }
      for (const type of ['mousePressed', 'mouseReleased']) await send('Input.dispatchMouseEvent', { type, ...at })
    },
    frameUrl: async () => (await firstFrame()).url,
  }

  if (html !== undefined) {
    await send('Fetch.enable', { patterns: [{ urlPattern: url }] })
    const responseHeaders = [{ name: 'content-type', value: 'text/html' }]
    const body = Buffer.from(html).toString('base64')
    protocol.heard('Fetch.requestPaused', ({ requestId }, session) => {
      void protocol.send('Fetch.fulfillRequest', { requestId, responseCode: 200, responseHeaders, body }, session)
    })
  }
  const { errorText } = await send<{ errorText?: string }>('Page.navigate', { url })
  if (errorText !== undefined) throw new Error(`${url}: ${errorText}`)
  await page.until('document.readyState === "complete"')
  return page
}
