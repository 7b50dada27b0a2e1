import { NekoError } from '@neko-edge/kit'
import type { z } from 'zod'
import type { BodyRules } from './operation.ts'

/** The longest JSON body, in bytes. */
export const maxBody = 1024 * 1024

/** How deep a body may be nested: Redis's own JSON reader stops at 1000. */
const maxDepth = 200

/** Reads a JSON body by its rules. Fails in upstream's words, or `tooLarge`. */
export async function readJson(
  request: Request,
  { schema, isOptional = false, isStrict = false, isExplained = false, code = 'invalid', words = {} }: BodyRules,
): Promise<unknown> {
  const { empty = 'no data provided', malformed = 'unable to parse provided data' } = words
  const read = await readText(request)
  const text = isOptional && read === '' ? '{}' : read
  if (text.trim() === '') {
    throw new NekoError(code, empty)
  }
  const value = parseJson(text, { allowTail: !isStrict })
  const parsed = value === undefined || !isShallow(value, maxDepth) ? undefined : schema.safeParse(value)
  if (!parsed?.success) {
    const why = isExplained && parsed?.error ? explained(parsed.error) : malformed
    throw new NekoError(code, why, { cause: parsed?.error })
  }
  return parsed.data
}

/** Each field that is wrong, and how; a reader finds the first few quickest. */
function explained({ issues }: z.ZodError): string {
  return issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.length === 0 ? 'body' : path.map(String).join('.')}: ${message}.`)
    .join(' ')
}

async function readText(request: Request): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength
    if (length > maxBody) {
      throw new NekoError('tooLarge', `the body is longer than ${maxBody} bytes`)
    }
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/**
 * The first JSON value of a text, `undefined` where there is none. Where a tail is allowed, what follows the value is ignored,
 * as upstream's decoder does.
 */
export function parseJson(text: string, { allowTail }: { allowTail: boolean }): unknown {
  try {
    return JSON.parse(wellFormed(text))
  } catch (error) {
    const end = allowTail && error instanceof SyntaxError ? /after JSON at position (\d+)/.exec(error.message)?.[1] : undefined
    return end === undefined ? undefined : parseJson(wellFormed(text).slice(0, Number(end)), { allowTail: false })
  }
}

/**
 * Half a surrogate pair is no character: Go reads it as U+FFFD, and Redis's JSON reader refuses it, so that a name with one in it
 * would break every script that reads the profile.
 */
const wellFormed = (text: string): string =>
  text.replaceAll(/\\\\|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[dD][89a-fA-F][\da-fA-F]{2}/g, (found) =>
    found.length === 6 ? '\\ufffd' : found,
  )

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) {
    return true
  }
  return levels > 0 && Object.values(value).every((item) => isShallow(item, levels - 1))
}
