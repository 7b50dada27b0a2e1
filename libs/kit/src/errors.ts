/** Every way a request can fail, and the HTTP status a client sees for it. */
export const errorStatus = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  notFound: 404,
  conflict: 409,
  tooLarge: 413,
  unprocessable: 422,
  tooMany: 429,
  internal: 500,
  unavailable: 503,
  timeout: 504,
} as const

export type ErrorCode = keyof typeof errorStatus

/** The one error class: a code from the table, and a message that its reader can act on. Edges translate it to HTTP or WebSocket. */
export class NekoError extends Error {
  override readonly name = 'NekoError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  get status(): (typeof errorStatus)[ErrorCode] {
    return errorStatus[this.code]
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The code of a failed system call, such as `ENOENT`; undefined for any other error. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Narrows away what can not be, and says why. A failure is a bug of ours, never of a user. */
export function assert(condition: unknown, why: string): asserts condition {
  if (!condition) {
    throw new Error(`assertion failed: ${why}`)
  }
}
