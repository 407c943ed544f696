import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import type { Options } from './options.ts'

/**
 * The certificates of the authorities that stand in for the public ones. Asked for at every update, since a test
 * authority starts later than we do, and makes itself a new root each time.
 */
export function authorities({ caFile, caUrls }: Pick<Options, 'caFile' | 'caUrls'>): () => Promise<string[]> {
  const fromUrls = once(1000, () => Promise.all(caUrls.map(fromUrl)))
  return async () => {
    const found = [caFile === undefined ? '' : await fromFile(caFile), ...(await fromUrls())]
    return found.filter((pem) => pem.includes('-----BEGIN CERTIFICATE-----'))
  }
}

async function fromFile(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '')
}

/** Not verified: nothing that could be trusted says who a throwaway authority is. */
function fromUrl(url: string): Promise<string> {
  return new Promise((resolve) => {
    const nothing = () => resolve('')
    request(url, { rejectUnauthorized: false, signal: AbortSignal.timeout(5000) }, (response) => {
      text(response).then(resolve, nothing)
    })
      .on('error', nothing)
      .end()
  })
}

/** Asks again only after so many milliseconds. */
function once<T>(milliseconds: number, ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  let askedAt = 0
  return () => {
    if (answer === undefined || performance.now() - askedAt > milliseconds) {
      askedAt = performance.now()
      answer = ask()
    }
    return answer
  }
}
