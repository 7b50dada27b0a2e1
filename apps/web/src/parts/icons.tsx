const paths = {
  control: 'M5 3.5 19.5 10l-6 2.3L11 18.5 5 3.5Z',
  keyboard:
    'M3 7.5A1.5 1.5 0 0 1 4.5 6h15A1.5 1.5 0 0 1 21 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 16.5v-9ZM7 10h.01M11 10h.01M15 10h.01M8 14h8',
  sound: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5H4ZM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11',
  muted: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5H4ZM16 9.5l5 5M21 9.5l-5 5',
  fullscreen: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  shrink: 'M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5',
  people: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6M18 14.5a6.5 6.5 0 0 1 3.5 5.5',
  leave: 'M14 4H6.5A1.5 1.5 0 0 0 5 5.5v13A1.5 1.5 0 0 0 6.5 20H14M10 12h10.5M17 8.5l3.5 3.5-3.5 3.5',
  statistics: 'M4 20V10M10 20V4M16 20v-7M21 20H3',
  close: 'M6 6l12 12M18 6 6 18',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 14.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6Z',
  shield: 'M12 3.5 19 6v5.5c0 4.3-3 7.5-7 9-4-1.5-7-4.7-7-9V6l7-2.5Z',
  pip: 'M3.5 6A1.5 1.5 0 0 1 5 4.5h14A1.5 1.5 0 0 1 20.5 6v5M3.5 6v12A1.5 1.5 0 0 0 5 19.5h5M13 14h8v5.5h-8V14Z',
} as const

/** A drawing of 24 by 24 in the colour of the text; its button carries the name. */
export function Icon({ name }: { name: keyof typeof paths }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  )
}

/** The mark of neko. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect class="mark-ground" width="32" height="32" rx="8" />
      <path
        class="mark-head"
        d="M8 22.5V8.2c0-.8.9-1.2 1.5-.7l3.6 3.2h5.8l3.6-3.2c.6-.5 1.5-.1 1.5.7v14.3c0 1.4-1.1 2.5-2.5 2.5h-11A2.5 2.5 0 0 1 8 22.5Z"
      />
      <circle class="mark-ground" cx="12.6" cy="16.5" r="1.6" />
      <circle class="mark-ground" cx="19.4" cy="16.5" r="1.6" />
      <path class="mark-mouth" d="M14.5 20.3 16 21.5l1.5-1.2" />
    </svg>
  )
}
