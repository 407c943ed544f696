/** How long Telegram waits before it sends a failed update again. */
export function nextTry(
  { failures, delay }: { readonly failures: number; readonly delay: number },
  retryAfter: number,
  random = Math.random(),
): { readonly delay: number; readonly seconds: number } {
  const asked = Math.min(3600, Math.max(0, retryAfter))
  // The first failure is no reason to wait.
  if (asked > 0 || failures === 0) return { delay, seconds: asked }
  const doubled = Math.min(60 + 60 * random, delay * 2)
  return { delay: doubled, seconds: doubled }
}

/** The seconds of a Retry-After header; 0 when there is none, or a date. */
export function retryAfterOf(header: string | string[] | undefined): number {
  return /^\d+$/.test(String(header)) ? Number(header) : 0
}
