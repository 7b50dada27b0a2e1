import type { Problem } from '../problem.ts'

/** Where a value came from: its kind, and the variable, the flag or the place in the file. */
export interface Source {
  readonly kind: 'default' | 'file' | 'env' | 'flag'
  /** `NEKO_SERVER_BIND`, `--server.bind`, `/etc/neko/neko.yaml:3:9`; of a default, why it is not the plain one, or empty. */
  readonly where: string
}

/** One value that somebody gave, not yet read. */
export interface Given {
  /** The path of an option, or the key of a V2 option (V2 keys have no dot and none is also a path, but for `debug` and `config`, which are both). */
  readonly name: string
  readonly raw: unknown
  readonly source: Source
}

/** What one source holds. */
export interface Reading {
  readonly given: readonly Given[]
  readonly problems: readonly Problem[]
}

/** The order of sources: a later one wins. */
export const rank = { default: 0, file: 1, env: 2, flag: 3 } as const satisfies Record<Source['kind'], number>
