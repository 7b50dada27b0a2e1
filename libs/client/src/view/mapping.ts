export interface Size {
  readonly width: number
  readonly height: number
}

export interface Rect extends Size {
  readonly left: number
  readonly top: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

/** Where a picture of `picture`'s proportions lies in `box` when it is shown whole and centred (`object-fit: contain`). */
export function contain(box: Rect, picture: Size): Rect {
  if (box.width <= 0 || box.height <= 0 || picture.width <= 0 || picture.height <= 0) {
    return { left: box.left, top: box.top, width: 0, height: 0 }
  }
  const scale = Math.min(box.width / picture.width, box.height / picture.height)
  const width = picture.width * scale
  const height = picture.height * scale
  return { left: box.left + (box.width - width) / 2, top: box.top + (box.height - height) / 2, width, height }
}

/**
 * The pixel of the screen under a point of the page, both boxes in CSS pixels of the viewport, as getBoundingClientRect and clientX tell them:
 * page zoom, CSS transforms and device pixels are in both and cancel out. `undefined` beside the picture.
 */
export function screenPixel(point: Point, picture: Rect, screen: Size): Point | undefined {
  const isInside =
    point.x >= picture.left && point.y >= picture.top && point.x < picture.left + picture.width && point.y < picture.top + picture.height
  return isInside ? nearestPixel(point, picture, screen) : undefined
}

/** The same, at the nearest edge for a point beside the picture: a drag goes on outside. */
export function nearestPixel(point: Point, picture: Rect, screen: Size): Point {
  return {
    x: along(point.x - picture.left, picture.width, screen.width),
    y: along(point.y - picture.top, picture.height, screen.height),
  }
}

function along(offset: number, length: number, pixels: number): number {
  const pixel = length > 0 ? Math.floor((offset * pixels) / length) : 0
  return Math.max(0, Math.min(pixels - 1, pixel))
}

/** Where a point of the screen lies in the page. */
export function pagePoint(pixel: Point, picture: Rect, screen: Size): Point {
  return {
    x: picture.left + (pixel.x * picture.width) / screen.width,
    y: picture.top + (pixel.y * picture.height) / screen.height,
  }
}
