import { emojiOf } from './emotes.ts'

/** A piece of a chat message: text, or something that looks different. Never markup: the page draws each piece itself. */
export type Piece =
  | string
  | { readonly is: 'strong' | 'em' | 'strike' | 'spoiler' | 'quote'; readonly inside: readonly Piece[] }
  | { readonly is: 'code' | 'block'; readonly text: string }
  | { readonly is: 'link'; readonly href: string; readonly inside: readonly Piece[] }
  | { readonly is: 'break' }

const deepest = 6

/*
 * The subset of Markdown that V2's chat knows. Every alternative is bounded or ends at a delimiter of its own, so that a hostile message costs
 * no more than its square, and messages are bounded.
 */
const pattern =
  /```\n?([\s\S]+?)```|`([^`\n]+)`|\*\*([\s\S]+?)\*\*|__([\s\S]+?)__|~~([\s\S]+?)~~|\|\|([\s\S]+?)\|\||\*(?=\S)([^*\n]*[^*\s])\*|\b_(?=\S)([^_\n]*[^_\s])_\b|\[([^\]\n]{1,200})\]\((https?:\/\/[^\s)]{1,2000})\)|(https?:\/\/[^\s<>"]{1,2000})|:([a-z0-9_+-]{1,40}):|(\n)/gi

/** Reads a message; what looks like Markdown and is none stays text. */
export function parseMessage(text: string): Piece[] {
  const pieces: Piece[] = []
  let quoted: string[] = []
  const endQuote = () => {
    if (quoted.length > 0) {
      pieces.push({ is: 'quote', inside: parseInline(quoted.join('\n'), 0) })
      quoted = []
    }
  }
  let plain: string[] = []
  const endPlain = () => {
    if (plain.length > 0) {
      pieces.push(...parseInline(plain.join('\n'), 0))
      plain = []
    }
  }
  let isInBlock = false
  for (const line of text.trim().split('\n')) {
    const quote = isInBlock ? null : /^> ?(.*)$/.exec(line)
    if (quote) {
      endPlain()
      quoted.push(quote[1] ?? '')
      continue
    }
    endQuote()
    plain.push(line)
    isInBlock = (line.split('```').length - 1) % 2 === 1 ? !isInBlock : isInBlock
  }
  endQuote()
  endPlain()
  return pieces
}

function parseInline(text: string, depth: number): Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const match of text.matchAll(pattern)) {
    const piece = pieceOf(match, depth)
    if (piece !== undefined) {
      add(pieces, text.slice(end, match.index))
      end = match.index + match[0].length
      if (typeof piece === 'object' && piece.is === 'link' && match[11] !== undefined) {
        end -= match[11].length - piece.href.length
      }
      add(pieces, piece)
    }
  }
  add(pieces, text.slice(end))
  return pieces
}

function pieceOf(match: RegExpMatchArray, depth: number): Piece | undefined {
  const [, block, code, strong, strong2, strike, spoiler, em, em2, label, address, bare, emoji, newline] = match
  const inside = (text: string) => (depth >= deepest ? [text] : parseInline(text, depth + 1))
  if (block !== undefined) {
    return { is: 'block', text: block.replace(/\n$/, '') }
  }
  if (code !== undefined) {
    return { is: 'code', text: code }
  }
  for (const [is, text] of [
    ['strong', strong ?? strong2],
    ['strike', strike],
    ['spoiler', spoiler],
    ['em', em ?? em2],
  ] as const) {
    if (text !== undefined) {
      return { is, inside: inside(text) }
    }
  }
  if (label !== undefined && address !== undefined) {
    return URL.canParse(address) ? { is: 'link', href: address, inside: [label] } : undefined
  }
  if (bare !== undefined) {
    // The full stop after a link is the sentence's.
    const href = bare.replace(/[.,;:!?'")\]]+$/, '')
    return URL.canParse(href) ? { is: 'link', href, inside: [href] } : undefined
  }
  if (newline !== undefined) {
    return { is: 'break' }
  }
  return emoji === undefined ? undefined : emojiOf(emoji.toLowerCase())
}

function add(pieces: Piece[], piece: Piece): void {
  const last = pieces.at(-1)
  if (typeof piece === 'string' && typeof last === 'string') {
    pieces[pieces.length - 1] = last + piece
  } else if (piece !== '') {
    pieces.push(piece)
  }
}
