/**
 * The small language of pipeline options: `width / 2`, `fps > 30 ? 30 : fps`, `round(3072 * 650)`.
 * A word that is no variable stands for itself, so that `cbr`, `veryfast` and `low-latency-hq` need no quotes; a word cannot be mixed with
 * numbers. Own parser, no eval: the text comes from a configuration file, but its numbers end up in a command line.
 */
import { NekoError } from '@neko-edge/kit'

export type ExpressionValue = number | string | boolean
export type Variables = Readonly<Record<string, number>>

/** A word nobody defined, with the source text it came from. */
interface Word {
  readonly word: string
  readonly at: number
}
type Value = ExpressionValue | Word

interface Token {
  readonly is: 'number' | 'string' | 'name' | 'operator' | 'end'
  readonly text: string
  readonly at: number
}

/** Left binding power of each infix operator, weakest first; all associate to the left, as in the library that upstream uses. */
const infixPower: Readonly<Record<string, number>> = {
  '?': 1, '??': 2, '||': 3, '&&': 4, '==': 5, '!=': 5, '<': 6, '<=': 6, '>': 6, '>=': 6, '+': 7, '-': 7, '*': 8, '/': 8, '%': 8, '**': 9,
} // biome-ignore format: a table
const prefixPower = 10
const maxDepth = 100

const tokenPattern =
  /\s+|(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|([\p{L}_][\p{L}\p{N}_.]*)|(\*\*|\?\?|\|\||&&|[=!<>]=|[-+*/%<>!?:(),])/uy

function tokens(source: string): Token[] {
  const all: Token[] = []
  tokenPattern.lastIndex = 0
  let at = 0
  while (at < source.length) {
    const match = tokenPattern.exec(source)
    if (match === null) {
      throw problem(source, at, `unexpected ${JSON.stringify(String.fromCodePoint(source.codePointAt(at) ?? 0))}`)
    }
    const [text, number, string, name, operator] = match
    const is = number !== undefined ? 'number' : string !== undefined ? 'string' : name !== undefined ? 'name' : 'operator'
    if (operator !== undefined || is !== 'operator') {
      all.push({ is, text, at })
    }
    at = tokenPattern.lastIndex
  }
  all.push({ is: 'end', text: 'the end', at })
  return all
}

function problem(source: string, at: number, what: string): NekoError {
  return new NekoError('invalid', `expression ${JSON.stringify(source)}: ${what} at position ${at + 1}`)
}

/** Reads and evaluates in one pass; `#skip` > 0 reads the branch not taken, whose values do not matter. */
class Reader {
  readonly #source: string
  readonly #variables: Variables
  readonly #tokens: Token[]
  #index = 0
  #skip = 0
  #depth = 0

  constructor(source: string, variables: Variables) {
    this.#source = source
    this.#variables = variables
    this.#tokens = tokens(source)
  }

  whole(): Value {
    const value = this.#expression(0)
    const rest = this.#next()
    if (rest.is !== 'end') {
      throw problem(this.#source, rest.at, `unexpected ${rest.text}`)
    }
    return value
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#index, this.#tokens.length - 1)]! // The list ends in `end` and is never empty.
  }

  #next(): Token {
    const token = this.#peek()
    this.#index += 1
    return token
  }

  #expect(text: string): void {
    const token = this.#next()
    if (token.text !== text || token.is !== 'operator') {
      throw problem(this.#source, token.at, `expected ${text}, found ${token.text}`)
    }
  }

  #expression(power: number): Value {
    this.#depth += 1
    const start = this.#peek().at
    if (this.#depth > maxDepth) {
      throw problem(this.#source, start, 'too deeply nested')
    }
    let left = this.#operand()
    for (;;) {
      const token = this.#peek()
      const binds = token.is === 'operator' ? infixPower[token.text] : undefined
      if (binds === undefined || binds <= power) {
        break
      }
      this.#index += 1
      left = this.#infix(left, token, start)
    }
    this.#depth -= 1
    return left
  }

  #operand(): Value {
    const token = this.#next()
    if (token.is === 'number') {
      return Number(token.text)
    }
    if (token.is === 'string') {
      return token.text.startsWith('`') ? token.text.slice(1, -1) : token.text.slice(1, -1).replace(/\\(.)/gsu, '$1')
    }
    if (token.is === 'name') {
      return this.#named(token)
    }
    if (token.text === '(') {
      const value = this.#expression(0)
      this.#expect(')')
      return value
    }
    if (token.text === '-' || token.text === '+') {
      const value = this.#number(this.#expression(prefixPower), token.at)
      return token.text === '-' ? -value : value
    }
    if (token.text === '!') {
      return !this.#truth(this.#expression(prefixPower), token.at)
    }
    throw problem(this.#source, token.at, `unexpected ${token.text}`)
  }

  #named(token: Token): Value {
    if (this.#peek().text === '(' && this.#peek().is === 'operator') {
      if (token.text !== 'round') {
        throw problem(this.#source, token.at, `unknown function ${token.text}`)
      }
      this.#index += 1
      const value = this.#number(this.#expression(0), token.at)
      this.#expect(')')
      return Math.round(value)
    }
    if (token.text === 'true' || token.text === 'false') {
      return token.text === 'true'
    }
    const known = Object.hasOwn(this.#variables, token.text) ? this.#variables[token.text] : undefined
    return known ?? { word: token.text, at: token.at }
  }

  #infix(left: Value, { text, at }: Token, start: number): Value {
    switch (text) {
      case '?':
        return this.#choice(this.#truth(left, at))
      case '??':
        return isWord(left) ? this.#expression(2) : this.#unless(true, 2, left)
      case '||':
        return this.#truth(left, at) ? this.#unless(true, 3, true) : this.#truth(this.#expression(3), at)
      case '&&':
        return this.#truth(left, at) ? this.#truth(this.#expression(4), at) : this.#unless(true, 4, false)
      default: {
        const right = this.#expression(infixPower[text] ?? 0)
        return isWord(left) && isWord(right) ? this.#phrase(start, left.at) : this.#binary(left, right, { text, at })
      }
    }
  }

  /** Both sides are words: the whole is the text that was written, e.g. `low-latency-hq`. */
  #phrase(start: number, at: number): Word {
    return { word: this.#source.slice(start, this.#peek().at).trim(), at }
  }

  #choice(condition: boolean): Value {
    const yes = this.#unless(!condition, 0, undefined)
    this.#expect(':')
    const no = this.#unless(condition, 0, undefined)
    return condition ? yes : no
  }

  /** Reads an expression; where `skipped`, its value is replaced by `instead` and its words and types are not judged. */
  #unless<T extends Value | undefined>(skipped: boolean, power: number, instead: T): Value {
    this.#skip += skipped ? 1 : 0
    const value = this.#expression(power)
    this.#skip -= skipped ? 1 : 0
    return skipped ? (instead ?? 0) : value
  }

  #binary(left: Value, right: Value, { text, at }: { text: string; at: number }): Value {
    if (text === '==' || text === '!=') {
      return (this.#known(left) === this.#known(right)) === (text === '==')
    }
    if (text === '+' && (typeof left === 'string' || typeof right === 'string')) {
      return `${printed(this.#known(left))}${printed(this.#known(right))}`
    }
    const [a, b] = [this.#number(left, at), this.#number(right, at)]
    switch (text) {
      case '+':
        return a + b
      case '-':
        return a - b
      case '*':
        return a * b
      case '/':
        return a / b
      case '%':
        return a % b
      case '**':
        return a ** b
      case '<':
        return a < b
      case '<=':
        return a <= b
      case '>':
        return a > b
      default:
        return a >= b
    }
  }

  #known(value: Value): ExpressionValue {
    if (!isWord(value)) {
      return value
    }
    if (this.#skip > 0) {
      return 0
    }
    throw problem(this.#source, value.at, `unknown word ${value.word}`)
  }

  #number(value: Value, at: number): number {
    const known = this.#known(value)
    if (typeof known === 'number') {
      return known
    }
    if (this.#skip > 0) {
      return 0
    }
    throw problem(this.#source, at, `expected a number, found ${JSON.stringify(known)}`)
  }

  #truth(value: Value, at: number): boolean {
    const known = this.#known(value)
    if (typeof known === 'string' && this.#skip === 0) {
      throw problem(this.#source, at, `expected a condition, found ${JSON.stringify(known)}`)
    }
    return Boolean(known)
  }
}

function isWord(value: Value): value is Word {
  return typeof value === 'object'
}

/** The value of `source`: a number, text or truth; a word that is no variable is its own text. Errors: `invalid`, naming the position from 1. */
export function evaluate(source: string, variables: Variables): ExpressionValue {
  const value = new Reader(source, variables).whole()
  return isWord(value) ? value.word : value
}

/** As `evaluate`, and the outcome must be a finite number. */
export function evaluateNumber(source: string, variables: Variables): number {
  const value = evaluate(source, variables)
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new NekoError('invalid', `expression ${JSON.stringify(source)}: expected a number, found ${JSON.stringify(printed(value))}`)
  }
  return value
}

/** The value as GStreamer reads it: numbers without exponent. */
export function printed(value: ExpressionValue): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    return String(value)
  }
  if (Number.isInteger(value)) {
    return BigInt(value).toString()
  }
  return Math.abs(value) < 1e-6 ? value.toFixed(20).replace(/0+$/, '') : String(value)
}
