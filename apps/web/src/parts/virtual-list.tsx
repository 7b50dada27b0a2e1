import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

/** Rows drawn beyond each edge, so that a fast scroll finds them there. */
const spare = 6

/** The rows of a list that have to be drawn for a window of it. */
export function windowOf({ count, rowPx, top, height }: { count: number; rowPx: number; top: number; height: number }): {
  from: number
  to: number
} {
  const from = Math.max(0, Math.min(count, Math.floor(top / rowPx)) - spare)
  return { from, to: Math.min(count, Math.ceil((top + height) / rowPx) + spare) }
}

/** A list of rows of one height of which only those in sight exist. `row` draws one, as an `li`. */
export function VirtualList({
  ids,
  rowPx,
  row,
}: {
  ids: readonly string[]
  rowPx: number
  row: (id: string, place: number) => ComponentChildren
}) {
  const frame = useRef<HTMLDivElement>(null)
  const box = useSignal({ top: 0, height: 800 })
  useLayoutEffect(() => {
    const element = frame.current
    if (!element) {
      return
    }
    const look = () => {
      const { scrollTop: top, clientHeight: height } = element
      if (top !== box.value.top || height !== box.value.height) {
        box.value = { top, height }
      }
    }
    const resized = new ResizeObserver(look)
    resized.observe(element)
    element.addEventListener('scroll', look, { passive: true })
    return () => {
      resized.disconnect()
      element.removeEventListener('scroll', look)
    }
  }, [])
  const { from, to } = windowOf({ count: ids.length, rowPx, ...box.value })
  return (
    <div class="rows" ref={frame}>
      <ul style={{ height: `${ids.length * rowPx}px`, paddingTop: `${from * rowPx}px` }}>
        {ids.slice(from, to).map((id, index) => row(id, from + index))}
      </ul>
    </div>
  )
}
