import { defineConfig } from 'vite'

/** Where the development and preview servers pass the API on to; `vite --mode http://host:port` names another. */
const server = 'http://127.0.0.1:8080'

/** What the control plane sends with the page: nothing inline, nothing from elsewhere. */
const policy = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self' ws: wss:; frame-ancestors 'self'"

export default defineConfig(({ mode }) => {
  const target = mode.startsWith('http') ? mode : server
  const proxy = { '/api': { target, ws: true }, '/health': { target } }
  return {
    // Relative addresses: the page works under any path prefix and below /room/<id>/.
    base: './',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      target: 'es2022',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        // The element and the client have addresses that stay, and keep what they export: other people's pages name them.
        input: {
          index: 'index.html',
          'neko-view': '../../libs/client/src/view/neko-view.ts',
          'neko-client': '../../libs/client/src/index.ts',
        },
        preserveEntrySignatures: 'exports-only',
        output: { entryFileNames: ({ name }) => (name.startsWith('neko-') ? '[name].js' : 'assets/[name]-[hash].js') },
      },
    },
    server: { proxy },
    preview: { proxy, headers: { 'content-security-policy': policy } },
  }
})
