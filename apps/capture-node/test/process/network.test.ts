import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { silentLog, systemClock, until } from '@neko-edge/kit'
import { isAlive, roomUser, tempFolder } from '@neko-edge/testing/process'
import { describe, expect, it } from 'vitest'
import { openRoomDesktop, type RoomDesktop } from '../../src/process/room-desktop.ts'
import { resolvConfFrom, whyNotIsolated } from '../../src/process/room-network.ts'

/** A room whose application runs a shell script again and again in a network of its own; the script's last output is in `report`. */
async function openRoom(folder: string, script: string, deny: readonly string[] = []): Promise<RoomDesktop> {
  const identity = roomUser()
  return openRoomDesktop({
    runFolder: join(folder, 'room'),
    ...(identity && { identity }),
    screen: { width: 640, height: 480, rate: 25 },
    application: { is: 'command', line: `while true; do { ${script}\n} >~/unfinished 2>&1; mv ~/unfinished ~/report; sleep 0.1; done` },
    network: { deny },
    clock: systemClock,
    log: silentLog,
  })
}

const report = (folder: string, what: RegExp) =>
  until(
    async () => {
      const text = await readFile(join(folder, 'room/home/report'), 'utf8').catch(() => '')
      return what.test(text) ? text : undefined
    },
    { ms: 15_000, what: `a report with ${what}` },
  )

/** Prints `HOST PORT open`, or why not. bash can connect without any further program. */
const connectTo = (host: string, port: number) =>
  `timeout 3 bash -c 'exec 3<>/dev/tcp/${host}/${port}' && echo ${host} open || echo ${host} closed`

describe("the application's own network", () => {
  it('[PRC-1900] reaches neither what listens on this machine, under any of its addresses, nor what is denied', async () => {
    await using folder = await tempFolder()
    const server = createServer().listen(0, '::')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const own = Object.values(networkInterfaces()).flatMap((all) =>
      (all ?? []).filter(({ family }) => family === 'IPv4').map(({ address }) => address),
    )
    const script = [...own, '169.254.169.254'].map((host) => connectTo(host, port)).join('; ')
    await using room = await openRoom(folder.path, `${script}; cat /proc/net/dev; echo end`, ['169.254.0.0/16'])
    const text = await report(folder.path, /end/)
    server.close()
    expect(room.pids().network).toBeGreaterThan(0)
    for (const host of [...own, '169.254.169.254']) {
      expect(text).toContain(`${host} closed`)
    }
    expect(own.length).toBeGreaterThan(0)
    expect(text).toMatch(/No route to host/)
  })

  it('[PRC-1901] is joined to the world: an interface with a default route, and a resolver that is not on loopback', async () => {
    expect(await whyNotIsolated(roomUser(), silentLog)).toBeUndefined()
    await using folder = await tempFolder()
    await using room = await openRoom(folder.path, 'cat /proc/net/dev /proc/net/route /etc/resolv.conf; echo end')
    const text = await report(folder.path, /end/)
    // An interface with a default route, and a resolver that is not on this machine's loopback.
    expect(text).toMatch(/^\s*(?!lo:)\w+:/m)
    expect(text).toMatch(/^\w+\s+00000000\s/m)
    expect(text).toMatch(/^nameserver (?!127\.)/m)
    expect(room.pids().networkLink).toBeGreaterThan(0)
  })

  it('[PRC-1902] comes back when pasta is killed, under the same application; and with a new one when the namespace is lost', async () => {
    await using folder = await tempFolder()
    await using room = await openRoom(folder.path, 'grep -c : /proc/net/dev')
    await report(folder.path, /^2$/m)
    const { application, networkLink } = room.pids()
    kill(networkLink)
    await until(() => room.pids().networkLink !== networkLink && room.pids().networkLink !== undefined, { ms: 10_000, what: 'pasta' })
    await report(folder.path, /^2$/m)
    expect(room.pids().application).toBe(application)
    kill(room.pids().network)
    await until(() => ![application, undefined].includes(room.pids().application), { ms: 10_000, what: 'a new application' })
    await report(folder.path, /^2$/m)
    const pids = Object.values(room.pids())
    await room[Symbol.asyncDispose]()
    expect((await Promise.all(pids.map(isAlive))).filter(Boolean)).toEqual([])
  })

  it('[PRC-1903] asks pasta for names where the machine has a resolver of IPv4, and keeps what else is said of names', () => {
    expect(resolvConfFrom('search example.org\nnameserver 127.0.0.53\nnameserver ::1\noptions edns0\n')).toBe(
      'nameserver 198.18.0.53\nsearch example.org\noptions edns0\n',
    )
    expect(resolvConfFrom('nameserver 2001:db8::53\n')).toBe('nameserver 2001:db8::53\n')
  })
})

function kill(pid: number | undefined): void {
  process.kill(pid ?? expect.fail('not up'), 'SIGKILL')
}
