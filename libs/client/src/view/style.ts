/** The element's own style, adopted by its shadow root: nothing leaks in or out, and no inline style offends a strict policy. */
export const viewStyle = `
  :host {
    display: block; position: relative; overflow: hidden; background: var(--neko-view-background, #000); contain: strict; aspect-ratio: 16 / 9;
  }
  :host([hidden]) { display: none; }
  /* What a page gives every element, its children inherit: not these. */
  * { all: initial; direction: ltr; box-sizing: border-box; }
  [hidden] { display: none !important; }
  video, canvas, textarea { display: block; position: absolute; inset: 0; width: 100%; height: 100%; }
  video, canvas { object-fit: contain; transform-origin: 0 0; }
  img { display: block; position: absolute; left: 0; top: 0; pointer-events: none; transform-origin: 0 0; will-change: transform; }
  [part=others] { display: block; position: absolute; inset: 0; overflow: hidden; pointer-events: none; }
  [part=other-cursor] {
    display: block; position: absolute; left: 0; top: 0; max-width: 12em; padding: 1px 6px; border-radius: 2px 8px 8px 8px; overflow: hidden;
    background: var(--neko-view-other, rgb(15 118 110 / 85%)); color: #fff; font: 600 11px/16px var(--neko-view-font, system-ui, sans-serif);
    text-overflow: ellipsis; white-space: nowrap; unicode-bidi: isolate; transition: transform 750ms linear;
  }
  @media (prefers-reduced-motion: reduce) { [part=other-cursor] { transition: none; } }
  [part=state] {
    display: block; position: absolute; inset: auto 0 50%; margin: auto; padding: 1em; color: #fff; text-align: center; text-shadow: 0 0 6px #000;
    font: 15px/1.4 var(--neko-view-font, system-ui, sans-serif); pointer-events: none; overflow-wrap: anywhere;
  }
  [part=controls] { position: absolute; left: 8px; right: 8px; bottom: 8px; display: flex; flex-wrap: wrap; gap: 6px; pointer-events: none; }
  [part~=button] {
    display: inline-flex; align-items: center; min-height: 36px; padding: 0 12px; border-radius: 8px;
    background: var(--neko-view-button, rgb(20 24 28 / 85%)); color: #fff; pointer-events: auto;
    font: 600 14px var(--neko-view-font, system-ui, sans-serif); cursor: pointer; user-select: none;
  }
  [part~=button]:focus-visible { outline: 2px solid var(--neko-view-focus, #4cc2a0); outline-offset: 2px; }
  textarea {
    resize: none; color: transparent; caret-color: transparent; font-size: 16px;
    touch-action: none; user-select: none; -webkit-user-select: none; overflow: hidden;
  }
  textarea::selection { background: transparent; }
  textarea:not([data-by-pointer]):focus-visible { box-shadow: inset 0 0 0 2px var(--neko-view-focus, #4cc2a0); }
`
