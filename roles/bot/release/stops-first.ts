import { hasOneWriter } from '../data/layout.ts'
import type { Spec } from '../spec/spec.ts'

/**
 * Whether the old version has to stop before the new one starts: two that poll take updates from each other, one that sets its
 * webhook itself may delete it when it stops, which would be the new one's, and two with data of their own spoil it.
 */
export function stopsFirst(spec: Spec, old: Spec | undefined): boolean {
  return [spec, old].some((each) => each && (each.mode === 'polling' || each.webhook === 'bot' || hasOneWriter(each)))
}
