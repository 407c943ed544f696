import { createHmac, timingSafeEqual } from 'node:crypto'

export const signatureOf = (key, text) => createHmac('sha256', key).update(text).digest()

/** Whether a text was signed with this key; the signature is hexadecimal. */
export function isSigned(key, text, signature = '') {
  const wanted = signatureOf(key, text)
  const given = Buffer.from(signature, 'hex')
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
