/** The element's own style, adopted by its shadow root: nothing leaks in or out, and no inline style offends a strict policy. */
export const viewStyle = `
  :host { display: block; position: relative; overflow: hidden; background: var(--neko-view-background, #000); contain: strict; }
  :host([hidden]) { display: none; }
  video, textarea { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; border: 0; padding: 0; }
  video { object-fit: contain; }
  img { position: absolute; left: 0; top: 0; pointer-events: none; transform-origin: 0 0; will-change: transform; }
  img[hidden] { display: none; }
  textarea {
    resize: none; outline: none; background: transparent; color: transparent; caret-color: transparent; font-size: 16px;
    cursor: default; touch-action: none; user-select: none; -webkit-user-select: none; overflow: hidden; opacity: 1;
  }
  textarea::selection { background: transparent; }
  textarea:not([data-by-pointer]):focus-visible { box-shadow: inset 0 0 0 2px var(--neko-view-focus, #4cc2a0); }
`
