import { defineConfig } from 'vite';

// `npm run dev` shows the sources beside a server that runs: TIELINE_URL names it.
const server = process.env.TIELINE_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  base: '/portal/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: ['chrome123', 'firefox128', 'safari17.5'],
    // An asset within a script would need `data:` where the policy has none.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      // The server accepts a cookie from pages of its own origin alone.
      '^/(v1|portal/open|portal/sign-in/)': { target: server, changeOrigin: true, headers: { origin: server } },
    },
  },
});
