import { expect, test } from 'vitest'
import { BadValue } from './bad-value.ts'
import { printDuration, readDuration } from './duration.ts'
import { isAddressRange, isLoopback, readBind, readPortRange } from './network.ts'
import { cleanPrefix } from './path-prefix.ts'
import { readRedisUrl } from './redis-url.ts'
import { readBoolean, readInteger, readJson, readList, readNumber } from './scalar.ts'
import { readScreen } from './screen.ts'

const isBad = (value: unknown): boolean => value instanceof BadValue

test.each([
  ['1h30m', 5_400_000],
  ['500ms', 500],
  ['1.5h', 5_400_000],
  ['2d', 172_800_000],
  ['24h', 86_400_000],
  ['10', 10_000],
  ['0', 0],
  ['250us', 0.25],
  ['-1s', -1000],
])('[CFG-30] the duration %s is %d ms', (text, ms) => {
  expect(readDuration(text)).toBe(ms)
})

test.each(['', 'x', '1x', '1 h', 'h', '--1s', '1h-1m'])('[CFG-30] %j is no duration', (text) => {
  expect(isBad(readDuration(text))).toBe(true)
})

test('[CFG-30] durations print in their largest unit', () => {
  expect([86_400_000, 90_000, 500, 0, 0.25].map(printDuration)).toEqual(['24h', '90s', '500ms', '0s', '0.25ms'])
})

test('[CFG-31] booleans in every spelling', () => {
  expect(['1', 't', 'TRUE', ' yes', 'on', 'Y', true, 1].map(readBoolean)).toEqual(Array(8).fill(true))
  expect(['0', 'F', 'False', 'no', 'off', 'n', false, 0].map(readBoolean)).toEqual(Array(8).fill(false))
  expect(['', 'maybe', '2', [], {}, null].map(readBoolean).every(isBad)).toBe(true)
})

test('[CFG-31] numbers are decimal and whole where they must be', () => {
  expect([readInteger('42'), readInteger('-1'), readNumber('.5'), readNumber('1e3')]).toEqual([42, -1, 0.5, 1000])
  expect(
    [readInteger('1.5'), readInteger('0x10'), readInteger(''), readNumber('1.2.3'), readNumber('NaN'), readNumber('Infinity')].every(isBad),
  ).toBe(true)
})

test('[CFG-32] lists by white space, commas, JSON and YAML alike', () => {
  const words = ['a', 'b', 'c']
  expect([readList('a b  c'), readList('a,b, c'), readList('["a","b","c"]'), readList(words), readList(['a,b', 'c'])]).toEqual(
    Array(5).fill(words),
  )
  expect([readList(''), readList([])]).toEqual([[], []])
  expect([readList('["a"'), readList([['a']]), readList({})].every(isBad)).toBe(true)
})

test('[CFG-33] JSON with white space around it, and an error that does not quote it', () => {
  expect(readJson('  {"a":1}\n')).toEqual({ a: 1 })
  const bad = readJson('{"password":"secret"')
  expect(bad).toBeInstanceOf(BadValue)
  expect(JSON.stringify(bad)).not.toContain('secret')
})

test('[CFG-34] addresses of the server', () => {
  expect(readBind('127.0.0.1:8080')).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 8080 })
  expect(readBind(':0')).toEqual({ kind: 'tcp', host: '', port: 0 })
  expect(readBind('[::1]:80')).toEqual({ kind: 'tcp', host: '::1', port: 80 })
  expect([readBind('unix:/run/a.sock'), readBind('/run/a.sock'), readBind('unix:///run/a.sock')]).toEqual(
    Array(3).fill({ kind: 'unix', path: '/run/a.sock' }),
  )
  expect(['8080', 'a', '::1:80', 'a:b', 'a:65536', ''].map(readBind).every(isBad)).toBe(true)
})

test('[CFG-34] loopback is 127/8, ::1, localhost and a unix socket', () => {
  const loopback = (text: string): boolean => {
    const bind = readBind(text)
    return !(bind instanceof BadValue) && isLoopback(bind)
  }
  expect(['127.0.0.1:1', '127.9.9.9:1', 'localhost:1', '[::1]:1', '/a'].every(loopback)).toBe(true)
  expect([':1', '0.0.0.0:1', '[::]:1', '127.evil.example:1', '10.0.0.1:1'].some(loopback)).toBe(false)
})

test('[CFG-35] port ranges, address ranges, screens and prefixes', () => {
  expect(readPortRange(' 59000 - 59100 ')).toEqual({ min: 59_000, max: 59_100 })
  expect(['59000', 'a-b', '2-1', '0-5', '1-65536', '1-2-3'].map(readPortRange).every(isBad)).toBe(true)
  expect(['10.0.0.0/8', '::1', 'fc00::/7'].every(isAddressRange)).toBe(true)
  expect(['10.0.0.0/33', 'a', '10.0.0.0/', '1.2.3.4/8/8', '::/129'].some(isAddressRange)).toBe(false)
  expect(readScreen('1920x1080@60')).toEqual({ width: 1920, height: 1080, rate: 60 })
  expect(readScreen('1920x1080')).toEqual({ width: 1920, height: 1080, rate: 30 })
  expect(['19200x1080@60', 'foo 1920x1080@60', '0x1@1', '1x1@1000', ''].map(readScreen).every(isBad)).toBe(true)
  expect(['', '/', 'neko', '/neko/', '//a//b/', '/a/../b/.'].map(cleanPrefix)).toEqual(['/', '/', '/neko', '/neko', '/a/b', '/b'])
})

test.each([
  ['redis://localhost', { kind: 'single', hosts: [{ host: 'localhost', port: 6379 }], db: 0 }],
  ['redis://:p%40ss@10.0.0.1:7000/3', { hosts: [{ host: '10.0.0.1', port: 7000 }], db: 3, password: 'p@ss' }],
  ['rediss://neko:x@[2001:db8::1]?ca=/ca.pem', { hosts: [{ host: '2001:db8::1', port: 6379 }], username: 'neko', tls: { ca: '/ca.pem' } }],
  ['unix:///run/redis.sock?db=2', { hosts: [], path: '/run/redis.sock', db: 2 }],
  [
    'redis+sentinel://:x@one,two:26380/1?master=room&sentinel_password=y',
    {
      kind: 'sentinel',
      hosts: [
        { host: 'one', port: 26_379 },
        { host: 'two', port: 26_380 },
      ],
      db: 1,
      master: 'room',
      sentinelPassword: 'y',
    },
  ],
  ['rediss+cluster://a,b,c', { kind: 'cluster', tls: {} }],
])('[CFG-1900] %s says where Redis is', (text, address) => {
  expect(readRedisUrl(text)).toMatchObject(address)
})

test.each([
  ['http://x', 'is not the URL of a Redis'],
  ['redis://', 'names no host'],
  ['redis://a b', 'names a host that is not host or host:port'],
  ['redis://a:70000', 'names port 70000, and ports end at 65535'],
  ['redis://a,b', 'names several servers: write redis+sentinel:// or redis+cluster://'],
  ['redis://a/x', 'names database x, which is not a number'],
  ['redis+cluster://a/1', 'names database 1, and a cluster has only 0'],
  ['redis://a?ca=/x', 'has a parameter ca, and takes none'],
  ['rediss://a?cert=/x', 'names only one of cert and key'],
  ['redis://:%zz@a', 'has a user or password that is not percent-encoded'],
  ['unix://run/redis.sock', 'names no absolute path of a socket'],
])('[CFG-1900] %s is refused: it %s', (text, reason) => {
  expect(readRedisUrl(text)).toEqual(new BadValue(reason))
})
