// What doctor.ts asks of a host, in two requests.
import { attemptsScript } from '../../../commands/doctor/attempts.ts'
import { everyContainer, everyContainerOfPair } from '../../../commands/doctor/container-reading.ts'
import { exposureReading } from '../../../commands/doctor/exposure-reading.ts'
import { secretSearch } from '../../../commands/doctor/secret-reading.ts'
import { readText } from '../../../lib/engine/read.ts'
import { gateReading } from '../../../roles/standby/gate.ts'
import { kindParts, request, type Shell } from './scripts.ts'

const place = {
  uid: '20001',
  container: 'botgarden-a-blue',
  database: true,
  controls: ['10.0.0.1/443'],
  targets: ['10.0.0.1/22'],
}

export function doctorScripts(): Shell[] {
  const all = [everyContainer, exposureReading, secretSearch]
  const ofPair = [everyContainerOfPair, gateReading]
  const places = ['a', 'b', 'c', 'd'].map((bot) => ({ ...place, bot }))
  return [
    request('doctor', readText(all, '4bd1'), kindParts(all)),
    request('doctor of a pair', readText(ofPair, '4bd1'), kindParts(ofPair)),
    request('doctor: attempts', attemptsScript(places).text),
  ]
}
