import { describe, expect, it } from 'vitest'
import type { Finger } from './fingers.ts'
import { TouchScreen } from './touch-screen.ts'

const at = (x: number, y: number, pressure = 0.5): Finger => ({ x, y, pressure })

function setUp() {
  const said: string[] = []
  const none = () => said.push('mouse')
  const touch = (phase: string, id: number, { x, y, pressure }: Finger) => said.push(`${phase} ${id} ${x},${y} ${pressure}`)
  const screen = new TouchScreen({ move: none, moveBy: none, button: none, scroll: none, pinch: none, touch })
  return { screen, said: () => said.splice(0) }
}

describe('TouchScreen', () => {
  it('[WEB-1402] every finger goes to the desktop as it is, in slots that are used again', () => {
    const { screen, said } = setUp()
    screen.down(1041, at(10, 20))
    screen.down(1042, at(30, 40, 1))
    screen.move(1041, at(11, 20))
    screen.move(1041, at(11, 20))
    screen.up(1041)
    screen.down(1043, at(50, 60))
    screen.up(1042)
    screen.up(1042)
    expect(said()).toEqual([
      'begin 0 10,20 0.5',
      'begin 1 30,40 1',
      'update 0 11,20 0.5',
      'end 0 11,20 0.5',
      'begin 0 50,60 0.5',
      'end 1 30,40 1',
    ])
  })

  it('[WEB-1403] fingers that the system takes away are lifted in the desktop', () => {
    const { screen, said } = setUp()
    screen.down(1, at(1, 1))
    screen.down(2, at(2, 2))
    screen.cancel()
    screen.move(1, at(9, 9))
    screen.up(2)
    expect(said()).toEqual(['begin 0 1,1 0.5', 'begin 1 2,2 0.5', 'end 0 1,1 0.5', 'end 1 2,2 0.5'])
  })

  it('[WEB-1404] more fingers than slots are none', () => {
    const { screen, said } = setUp()
    for (let finger = 0; finger < 12; finger += 1) {
      screen.down(finger, at(finger, 0))
    }
    expect(said()).toHaveLength(10)
  })
})
