import { describe, expect, it } from 'vitest'
import { cursorStyles } from './own-cursor.ts'

const image = { url: 'data:,x', width: 24, height: 32, hotX: 4, hotY: 6 }

describe('cursorStyles', () => {
  it('[WEB-1406] the pointer is as large as the picture around it, with the hot spot where it belongs', () => {
    expect(cursorStyles(image, 1)).toEqual(['image-set(url("data:,x") 1x) 4 6, default', 'url("data:,x") 4 6, default'])
    expect(cursorStyles(image, 0.5)[0]).toBe('image-set(url("data:,x") 2x) 2 3, default')
    expect(cursorStyles(image, 2)[0]).toBe('image-set(url("data:,x") 0.5x) 8 12, default')
  })

  it('[WEB-1407] never becomes larger than browsers show', () => {
    expect(cursorStyles(image, 10)[0]).toBe('image-set(url("data:,x") 0.25x) 16 24, default')
  })
})
