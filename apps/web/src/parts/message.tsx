import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { allCodes, fetchCodes } from '../model/emotes.ts'
import { type Piece, parseMessage } from '../model/markdown.ts'
import { words } from '../words/words.ts'
import { Icon } from './icons.tsx'

/** What somebody wrote, with the little Markdown that the chat knows. `onOpen` offers each link to the desktop too. */
export function Message({ text, onOpen }: { text: string; onOpen: ((href: string) => void) | undefined }) {
  const codes = allCodes.value
  const pieces = useMemo(() => parseMessage(text), [text, codes])
  useEffect(() => {
    // A code of which nobody tells stays text.
    fetchCodes(text).catch(() => {})
  }, [text])
  return <Pieces pieces={pieces} onOpen={onOpen} />
}

type OnOpen = ((href: string) => void) | undefined

function Pieces({ pieces, onOpen }: { pieces: readonly Piece[]; onOpen: OnOpen }) {
  // The pieces of a message never change their order.
  return (
    <>
      {pieces.map((piece) => (
        <PieceView piece={piece} onOpen={onOpen} />
      ))}
    </>
  )
}

function PieceView({ piece, onOpen }: { piece: Piece; onOpen: OnOpen }) {
  if (typeof piece === 'string') {
    return <>{piece}</>
  }
  switch (piece.is) {
    case 'break':
      return <br />
    case 'code':
      return <code>{piece.text}</code>
    case 'block':
      return (
        <pre>
          <code>{piece.text}</code>
        </pre>
      )
    case 'link':
      return <Link piece={piece} onOpen={onOpen} />
    default:
      return <Styled is={piece.is} inside={<Pieces pieces={piece.inside} onOpen={onOpen} />} />
  }
}

function Styled({ is, inside }: { is: 'strong' | 'em' | 'strike' | 'spoiler' | 'quote'; inside: ComponentChildren }) {
  switch (is) {
    case 'strong':
      return <strong>{inside}</strong>
    case 'em':
      return <em>{inside}</em>
    case 'strike':
      return <s>{inside}</s>
    case 'quote':
      return <blockquote>{inside}</blockquote>
    case 'spoiler':
      return <Spoiler>{inside}</Spoiler>
  }
}

function Spoiler({ children }: { children: ComponentChildren }) {
  const isShown = useSignal(false)
  if (isShown.value) {
    return <span class="spoiler shown">{children}</span>
  }
  return (
    <button
      type="button"
      class="spoiler"
      aria-label={words.value.chat.spoiler}
      onClick={() => {
        isShown.value = true
      }}
    >
      <span aria-hidden="true">{children}</span>
    </button>
  )
}

function Link({ piece, onOpen }: { piece: Extract<Piece, { is: 'link' }>; onOpen: OnOpen }) {
  return (
    <>
      <a href={piece.href} target="_blank" rel="noopener noreferrer nofollow ugc" title={piece.href}>
        <Pieces pieces={piece.inside} onOpen={undefined} />
      </a>
      {onOpen && (
        <button
          type="button"
          class="open-link"
          aria-label={words.value.chat.openInApp}
          title={words.value.chat.openInApp}
          onClick={() => onOpen(piece.href)}
        >
          <Icon name="desktop" />
        </button>
      )}
    </>
  )
}
