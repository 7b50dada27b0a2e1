/** The element's own style, adopted by its shadow root: nothing leaks in or out, and no inline style offends a strict policy. */
export const viewStyle = `
  :host { display: block; position: relative; overflow: hidden; background: var(--neko-view-background, #000); contain: strict; }
  :host([hidden]) { display: none; }
  video, textarea { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; border: 0; padding: 0; }
  video { object-fit: contain; transform-origin: 0 0; }
  img { position: absolute; left: 0; top: 0; pointer-events: none; transform-origin: 0 0; will-change: transform; }
  img[hidden], [part=state][hidden], [part=controls][hidden] { display: none; }
  [part=others] { position: absolute; inset: 0; overflow: hidden; pointer-events: none; }
  [part=other-cursor] {
    position: absolute; left: 0; top: 0; max-width: 12em; padding: 1px 6px; border-radius: 2px 8px 8px 8px; overflow: hidden;
    background: var(--neko-view-other, rgb(15 118 110 / 85%)); color: #fff; font: 600 11px/16px system-ui, sans-serif;
    text-overflow: ellipsis; white-space: nowrap; transition: transform 750ms linear;
  }
  @media (prefers-reduced-motion: reduce) { [part=other-cursor] { transition: none; } }
  [part=state] {
    position: absolute; inset: auto 0 50%; margin: auto; padding: 1em; color: #fff; text-align: center; text-shadow: 0 0 6px #000;
    font: 15px/1.4 system-ui, sans-serif; pointer-events: none;
  }
  [part=controls] { position: absolute; left: 8px; bottom: 8px; display: flex; gap: 6px; }
  [part=controls] button {
    min-height: 36px; padding: 0 12px; border: 0; border-radius: 8px; background: rgb(20 24 28 / 85%); color: #fff;
    font: 600 14px system-ui, sans-serif; cursor: pointer;
  }
  textarea {
    resize: none; outline: none; background: transparent; color: transparent; caret-color: transparent; font-size: 16px;
    cursor: default; touch-action: none; user-select: none; -webkit-user-select: none; overflow: hidden; opacity: 1;
  }
  textarea::selection { background: transparent; }
  textarea:not([data-by-pointer]):focus-visible { box-shadow: inset 0 0 0 2px var(--neko-view-focus, #4cc2a0); }
`
