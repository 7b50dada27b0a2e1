import { Listeners, messageOf, NekoError, SerialQueue } from '@neko-edge/kit'
import type { RandrMode, ScreenInfo, ScreenResources } from 'x11'
import type { XConnection } from './connection.ts'
import { cvtTiming, type ModeTiming, rateOf } from './cvt.ts'
import type { ScreenSize } from './desktop.ts'

const setScreenConfig = 2
const rotateNone = 1
const screenChangeMask = 1
const hSyncNegative = 2
const vSyncPositive = 4
const connected = 0

interface Configuration extends ScreenSize {
  readonly sizeId: number
}

/** The size of the screen through RANDR: 1.1 to switch, 1.2 to make modes. */
export class XScreen {
  readonly #connection: XConnection
  readonly #listeners = new Listeners<ScreenSize>()
  readonly #changes = new SerialQueue()
  readonly #known: readonly ScreenSize[]
  #size: ScreenSize

  private constructor(connection: XConnection, info: ScreenInfo) {
    this.#connection = connection
    this.#size = sizeIn(info)
    this.#known = offered(configurationsIn(info))
  }

  static async open(connection: XConnection): Promise<XScreen> {
    const screen = new XScreen(connection, await readInfo(connection))
    connection.onEvent((event) => {
      if (event.name === 'RRScreenChangeNotify') {
        screen.#refresh().catch((error: unknown) => connection.log.warn({ error: messageOf(error) }, 'screen size not read'))
      }
    })
    connection.send(() => connection.randr.SelectInput(connection.root, screenChangeMask))
    return screen
  }

  get size(): ScreenSize {
    return this.#size
  }

  /** What was there at the start. */
  get configurations(): readonly ScreenSize[] {
    return this.#known
  }

  onChange(listener: (size: ScreenSize) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Switches to a size, one after the other. */
  set(wanted: ScreenSize): Promise<ScreenSize> {
    return this.#changes.run(async () => {
      const size = { width: wanted.width - (wanted.width % 8), height: wanted.height, rate: wanted.rate || 60 }
      const configuration = (await this.#find(size)) ?? (await this.#create(size))
      await this.#switchTo(configuration)
      await this.#refresh()
      return this.#size
    })
  }

  async #find({ width, height, rate }: ScreenSize): Promise<Configuration | undefined> {
    const info = await readInfo(this.#connection)
    return configurationsIn(info).find((known) => known.width === width && known.height === height && known.rate === rate)
  }

  async #create(size: ScreenSize): Promise<Configuration> {
    if (!isPlausible(size)) {
      throw unknownConfiguration(size)
    }
    const timing = cvtTiming(size.width, size.height, size.rate)
    if (rateOf(timing) === 0) {
      // So slow that not even one step of the clock is left.
      throw unknownConfiguration(size)
    }
    const { root, randr } = this.#connection
    const resources = await this.#connection.ask<ScreenResources>('the screen resources', (_, callback) =>
      randr.GetScreenResourcesCurrent(root, callback),
    )
    const name = `${size.width}x${size.height}_${size.rate}`
    // A mode outlives the connection that made it.
    const known = resources.modeinfos.find((mode) => mode.name === name)
    const mode =
      known?.id ??
      (await this.#connection.ask<number>(`mode ${name}`, (_, callback) => randr.CreateMode(root, modeOf(name, size, timing), callback)))
    await this.#addToOutputs(mode, resources.outputs)
    // A small mode's clock may be too coarse for the exact rate.
    const configuration = await this.#find({ ...size, rate: rateOf(timing) })
    if (configuration === undefined) {
      throw unknownConfiguration(size)
    }
    return configuration
  }

  async #addToOutputs(mode: number, outputs: readonly number[]): Promise<void> {
    const { randr } = this.#connection
    for (const output of outputs) {
      const info = await this.#connection.ask<{ connection: number }>('a screen output', (_, callback) =>
        randr.GetOutputInfo(output, 0, callback),
      )
      if (info.connection === connected) {
        this.#connection.send(() => randr.AddOutputMode(output, mode))
      }
    }
  }

  async #switchTo(configuration: Configuration): Promise<void> {
    const info = await readInfo(this.#connection)
    const packet = Buffer.alloc(24)
    packet.writeUInt8(this.#connection.randr.majorOpcode, 0)
    packet.writeUInt8(setScreenConfig, 1)
    packet.writeUInt16LE(6, 2)
    packet.writeUInt32LE(this.#connection.root, 4)
    packet.writeUInt32LE(0, 8)
    packet.writeUInt32LE(info.config_timestamp, 12)
    packet.writeUInt16LE(configuration.sizeId, 16)
    packet.writeUInt16LE(rotateNone, 18)
    packet.writeUInt16LE(configuration.rate, 20)
    // By hand: the package's own SetScreenConfig throws inside the reader when the server answers with an error.
    const status = await this.#connection.askRaw('the screen change', packet, (_, detail) => detail)
    if (status !== 0) {
      throw unknownConfiguration(configuration)
    }
  }

  async #refresh(): Promise<void> {
    const size = sizeIn(await readInfo(this.#connection))
    const { width, height, rate } = this.#size
    if (size.width !== width || size.height !== height || size.rate !== rate) {
      this.#size = size
      this.#listeners.emit(size)
    }
  }
}

function unknownConfiguration({ width, height, rate }: ScreenSize): NekoError {
  return new NekoError('unprocessable', `unknown screen configuration ${width}x${height}@${rate}`)
}

/** What RANDR's 16-bit fields hold, totals included, and Xorg's smallest screen. */
function isPlausible({ width, height, rate }: ScreenSize): boolean {
  const isSide = (side: number) => Number.isInteger(side) && side >= 64 && side <= 16_384
  return isSide(width) && isSide(height) && Number.isInteger(rate) && rate >= 1 && rate <= 1_000
}

function modeOf(name: string, { width, height }: ScreenSize, timing: ModeTiming): Omit<RandrMode, 'id'> {
  return {
    name,
    width,
    height,
    dot_clock: timing.clockKhz * 1000,
    h_sync_start: timing.hSyncStart,
    h_sync_end: timing.hSyncEnd,
    h_total: timing.hTotal,
    v_sync_start: timing.vSyncStart,
    v_sync_end: timing.vSyncEnd,
    v_total: timing.vTotal,
    modeflags: hSyncNegative | vSyncPositive,
  }
}

function readInfo(connection: XConnection): Promise<ScreenInfo> {
  return connection.ask('the screen size', (_, callback) => connection.randr.GetScreenInfo(connection.root, callback))
}

function sizeIn(info: ScreenInfo): ScreenSize {
  const size = info.screens[info.sizeID]
  return { width: size?.px_width ?? 0, height: size?.px_height ?? 0, rate: info.rate }
}

function configurationsIn(info: ScreenInfo): Configuration[] {
  const all: Configuration[] = []
  let offset = 0
  info.screens.forEach((size, sizeId) => {
    const count = info.rates[offset] ?? 0
    for (const rate of info.rates.slice(offset + 1, offset + 1 + count)) {
      all.push({ width: size.px_width, height: size.px_height, rate, sizeId })
    }
    offset += 1 + count
  })
  return all
}

/** Without rates that nobody wants to choose from; largest first. */
function offered(all: readonly Configuration[]): ScreenSize[] {
  const isOffered = ({ rate }: ScreenSize) => rate <= 60 && (rate <= 30 || rate % 10 === 0)
  const unique = new Map(all.filter(isOffered).map(({ width, height, rate }) => [`${width}x${height}@${rate}`, { width, height, rate }]))
  return [...unique.values()].sort((a, b) => b.width - a.width || b.height - a.height || b.rate - a.rate)
}
