// What status.ts asks of a host, in one request.
import { questionsFor } from '../../../commands/status/questions.ts'
import { readText } from '../../../lib/engine/read.ts'
import { facts } from '../fake-host.ts'
import { statusHost } from '../status/host.ts'
import { kindParts, request, type Shell } from './scripts.ts'

export function statusScripts(): Shell[] {
  const { all } = questionsFor(statusHost(['hello']), [], facts)
  return [request('status', readText(all, '4bd1'), kindParts(all))]
}
