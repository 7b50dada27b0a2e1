/** A text with its variables filled in, and the names of those that nothing is known of. */
export interface Interpolated {
  readonly text: string
  readonly unknown: readonly string[]
  /** True if a variable or its default stands in the text now. */
  readonly isFilled: boolean
}

const reference = /\$(?:\$|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-+?])((?:[^{}]|\{[^{}]*\})*))?\})/g

/** Fills in `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?…}`, `${NAME:+…}`; `$$` is a dollar, as compose has it. */
export function interpolate(text: string, variables: ReadonlyMap<string, string>): Interpolated {
  const unknown: string[] = []
  let isFilled = false
  let filled = ''
  let end = 0
  for (const match of text.matchAll(reference)) {
    const part = expand(match, variables)
    unknown.push(...part.unknown)
    isFilled ||= part.isFilled
    filled += text.slice(end, match.index) + part.text
    end = match.index + match[0].length
  }
  return { text: filled + text.slice(end), unknown, isFilled }
}

function expand([whole, bare, braced, operator = '', word = '']: RegExpExecArray, variables: ReadonlyMap<string, string>): Interpolated {
  if (whole === '$$') {
    return { text: '$', unknown: [], isFilled: false }
  }
  const name = bare ?? braced ?? ''
  const value = variables.get(name)
  const isThere = value !== undefined && !(operator.startsWith(':') && value === '')
  if (operator.endsWith('+')) {
    return { ...interpolate(isThere ? word : '', variables), isFilled: true }
  }
  if (isThere) {
    return { text: value, unknown: [], isFilled: true }
  }
  return operator.endsWith('-') ? { ...interpolate(word, variables), isFilled: true } : { text: whole, unknown: [name], isFilled: false }
}
