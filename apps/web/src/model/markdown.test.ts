import { describe, expect, it } from 'vitest'
import { parseMessage } from './markdown.ts'

describe('parseMessage', () => {
  it('[WEB-140] knows bold, italic, struck, code, spoilers, quotes and lines', () => {
    expect(parseMessage('**a *b*** ~~c~~ `*d*` ||e||\nf')).toEqual([
      { is: 'strong', inside: ['a *b'] },
      '* ',
      { is: 'strike', inside: ['c'] },
      ' ',
      { is: 'code', text: '*d*' },
      ' ',
      { is: 'spoiler', inside: ['e'] },
      { is: 'break' },
      'f',
    ])
    expect(parseMessage('> q\n```\nx > y\n> z\n```')).toEqual([
      { is: 'quote', inside: ['q'] },
      { is: 'block', text: 'x > y\n> z' },
    ])
  })

  it('[WEB-141] links http and https only, without the full stop of the sentence', () => {
    expect(parseMessage('see https://a.example/x_y_z?q=1, ok')).toEqual([
      'see ',
      { is: 'link', href: 'https://a.example/x_y_z?q=1', inside: ['https://a.example/x_y_z?q=1'] },
      ', ok',
    ])
    expect(parseMessage('[t](https://a.example)')).toEqual([{ is: 'link', href: 'https://a.example', inside: ['t'] }])
    for (const hostile of [
      '[t](javascript:alert(1))',
      'javascript:alert(1)',
      'data:text/html,x',
      '<img src=x onerror=alert(1)>',
      '[t](//a.example)',
    ]) {
      expect(parseMessage(hostile)).toEqual([hostile])
    }
  })

  it('[WEB-142] what is no Markdown stays as it was written', () => {
    for (const text of ['2 * 3 * 4', 'snake_case_name', 'a ** b', '10:30:00', ':nosuchemoji:', '__', '****', ':constructor:']) {
      expect(parseMessage(text)).toEqual([text])
    }
    expect(parseMessage('go :tada:!')).toEqual(['go 🎉!'])
  })

  it('[WEB-143] a hostile message of 10 000 characters is read at once', () => {
    const startedAt = performance.now()
    for (const part of ['*', '_a', '**a', '||', '[', '[a](', '`', '> ', '~~', '*a ', ':a', 'https://', '```']) {
      parseMessage(part.repeat(10_000 / part.length))
    }
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })
})
