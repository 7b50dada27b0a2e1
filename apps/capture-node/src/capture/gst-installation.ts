import { spawnSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { NekoError } from '@neko-edge/kit'
import { findProgram, systemPath } from '@neko-edge/process'

const packageName = 'gstreamer1.0-tools'
/** The first look at all plugins takes a second or two on a fast machine. */
const scanMs = 60_000

/**
 * This machine's GStreamer. Its list of plugins is made once and kept in a file: a child whose user has no home would otherwise look at every
 * plugin at each start, which delays the first picture by more than a second.
 */
export class GstInstallation {
  /** What every GStreamer child needs in its environment. */
  readonly env: Readonly<Record<string, string>>
  readonly #known = new Map<string, boolean>()

  private constructor(env: Readonly<Record<string, string>>) {
    this.env = env
  }

  /** Looks at the plugins, with the list kept in `folder` (made where it is missing; readable by whom the children run as). Errors: `unavailable` without GStreamer. */
  static async open(folder: string): Promise<GstInstallation> {
    await mkdir(folder, { recursive: true, mode: 0o755 })
    const registry = { GST_REGISTRY: join(folder, 'gstreamer-registry.bin'), GST_REGISTRY_FORK: 'no' }
    if (!exists('fakesink', registry)) {
      throw new NekoError(
        'unavailable',
        'GStreamer does not work here; install it with: apt-get install gstreamer1.0-tools gstreamer1.0-plugins-base',
      )
    }
    return new GstInstallation({ ...registry, GST_REGISTRY_UPDATE: 'no' })
  }

  /** Whether an element is installed; each is asked for once. Blocks for some 20 ms. */
  readonly hasElement = (element: string): boolean => {
    let has = this.#known.get(element)
    if (has === undefined) {
      has = exists(element, this.env)
      this.#known.set(element, has)
    }
    return has
  }
}

function exists(element: string, env: Readonly<Record<string, string>>): boolean {
  const inspect = findProgram('gst-inspect-1.0', packageName)
  return spawnSync(inspect, ['--exists', element], { env: { PATH: systemPath, ...env }, timeout: scanMs, stdio: 'ignore' }).status === 0
}
