import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

export interface MenuItem {
  readonly label: string
  readonly run: () => void
  /** One of several that are chosen between. */
  readonly isChosen?: boolean
  readonly isDangerous?: boolean
  /** Asked before it runs, in place of the label. */
  readonly sure?: string
}

interface MenuButtonOptions {
  label: string
  items: () => readonly MenuItem[]
  children: ComponentChildren
  class?: string
}

/** A button that opens a menu beside itself: by click, Enter or arrow keys; Escape and a click elsewhere close it. */
export function MenuButton({ label, items, children, class: className = 'quiet square' }: MenuButtonOptions) {
  const button = useRef<HTMLButtonElement>(null)
  const isOpen = useSignal(false)
  const close = () => {
    isOpen.value = false
    button.current?.focus()
  }
  return (
    <>
      <button
        type="button"
        ref={button}
        class={className}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={isOpen.value}
        onClick={() => {
          isOpen.value = !isOpen.value
        }}
      >
        {children}
      </button>
      {isOpen.value && button.current && <Menu label={label} items={items()} anchor={button.current} onClose={close} />}
    </>
  )
}

interface MenuOptions {
  label: string
  items: readonly MenuItem[]
  anchor: HTMLElement
  onClose: () => void
}

function Menu({ label, items, anchor, onClose }: MenuOptions) {
  const menu = useRef<HTMLDivElement>(null)
  const asked = useSignal<string | undefined>(undefined)
  useEffect(() => {
    const element = menu.current
    if (!element) {
      return
    }
    place(element, anchor)
    element.querySelector<HTMLElement>('[aria-checked=true], button')?.focus()
    const elsewhere = (event: Event) => {
      if (event.target instanceof Node && !element.contains(event.target) && !anchor.contains(event.target)) {
        onClose()
      }
    }
    const scrolled = (event: Event) => event.target !== element && onClose()
    document.addEventListener('pointerdown', elsewhere, true)
    document.addEventListener('scroll', scrolled, true)
    return () => {
      document.removeEventListener('pointerdown', elsewhere, true)
      document.removeEventListener('scroll', scrolled, true)
    }
  }, [])
  return (
    <div class="menu" role="menu" aria-label={label} ref={menu} popover="manual" onKeyDown={(event) => moveFocus(event, onClose)}>
      {items.map((item) => (
        // biome-ignore lint/a11y/useAriaPropsSupportedByRole: without a choice there is no aria-checked
        <button
          type="button"
          key={item.label}
          tabIndex={-1}
          role={item.isChosen === undefined ? 'menuitem' : 'menuitemradio'}
          aria-checked={item.isChosen}
          class={item.isDangerous ? 'danger' : undefined}
          onClick={() => {
            if (item.sure !== undefined && asked.value !== item.label) {
              asked.value = item.label
              return
            }
            item.run()
            onClose()
          }}
        >
          {asked.value === item.label ? item.sure : item.label}
        </button>
      ))}
    </div>
  )
}

/** In the top layer, where no panel clips it, and inside of the window. */
function place(element: HTMLElement, anchor: HTMLElement): void {
  // In full screen and in dialogs the top layer is where a menu is seen at all.
  element.showPopover()
  const from = anchor.getBoundingClientRect()
  const { width, height } = element.getBoundingClientRect()
  const below = from.bottom + 4
  const top = below + height > innerHeight ? Math.max(4, from.top - height - 4) : below
  element.style.top = `${top}px`
  element.style.left = `${Math.max(4, Math.min(innerWidth - width - 4, from.right - width))}px`
}

function moveFocus(event: KeyboardEvent & { currentTarget: HTMLElement }, onClose: () => void): void {
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>('button')]
  const at = all.findIndex((each) => each.matches(':focus'))
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key]
  if (next !== undefined) {
    event.preventDefault()
    all.at(next % all.length)?.focus()
  } else if (event.key === 'Escape' || event.key === 'Tab') {
    event.preventDefault()
    onClose()
  }
}
