import { connect } from 'node:net'
import { mapConcurrent } from '../../../lib/std/map-concurrent.ts'

/** Ports that services are found on. All others are tried with `--all-ports`, or where something on the host listens. */
export const wellKnownPorts: readonly number[] = [
  ...[
    20, 21, 22, 23, 25, 53, 69, 79, 80, 88, 110, 111, 113, 119, 135, 139, 143, 161, 179, 389, 443, 445, 465, 500, 512,
    513,
  ],
  ...[
    514, 515, 548, 554, 587, 631, 636, 873, 902, 989, 990, 993, 995, 1025, 1080, 1194, 1433, 1521, 1723, 1883, 2049,
    2121,
  ],
  ...[
    2181, 2222, 2375, 2376, 2377, 2379, 2380, 3000, 3001, 3128, 3268, 3306, 3389, 4000, 4243, 4369, 4443, 4567, 4789,
    5000,
  ],
  ...[
    5001, 5044, 5060, 5222, 5432, 5433, 5601, 5672, 5900, 5984, 6000, 6379, 6443, 6666, 7000, 7001, 7070, 7474, 7946,
    8000,
  ],
  ...[
    8008, 8080, 8081, 8086, 8088, 8090, 8123, 8200, 8300, 8333, 8443, 8500, 8834, 8888, 9000, 9001, 9042, 9090, 9091,
    9092,
  ],
  ...[
    9093, 9100, 9200, 9300, 9418, 9443, 9999, 10000, 10250, 10255, 11211, 15672, 16379, 18080, 19999, 25565, 26379,
    27017,
  ],
  ...[27018, 28017, 32400, 32768, 49152, 50000, 50070, 51413, 61616],
]

/** How long a port may take to answer, in milliseconds, and how many are asked at a time. */
const patience = 1500
const atOnce = 400

/** The ports of an address that can be connected to, in order. */
export async function openPorts(address: string, ports: readonly number[]): Promise<number[]> {
  const open = await mapConcurrent(atOnce, ports, async (port) => ((await isOpen(address, port)) ? [port] : []))
  return open.flat()
}

export function isOpen(address: string, port: number, within = patience): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port })
    const end = (opened: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(opened)
    }
    const timer = setTimeout(() => end(false), within)
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
