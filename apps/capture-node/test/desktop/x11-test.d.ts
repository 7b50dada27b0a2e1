/** What only the clients of the tests use of the package `x11`. */
declare module 'x11' {
  interface XClient {
    QueryExtension(name: string, callback: Callback<Extension>): void
    QueryKeymap(callback: Callback<Buffer>): void
    CreatePixmap(id: number, drawable: number, depth: number, width: number, height: number): void
    CreateCursor(
      id: number,
      source: number,
      mask: number,
      foreground: { R: number; G: number; B: number },
      background: { R: number; G: number; B: number },
      x: number,
      y: number,
    ): void
    CreateGC(id: number, drawable: number, values: { readonly foreground?: number }): void
    PolyFillRectangle(drawable: number, gc: number, rectangles: readonly number[]): void
  }
}
