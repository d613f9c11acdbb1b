// Hostile texts in names, payloads and reasons: they are shown as they are, and nothing of them runs.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { api, server, settled, signIn, visitor } from './browser.mjs';
import { eventually, Far, organisation } from './world.mjs';

/** The corpus of the tests in Rust, and what is markup in a browser alone. */
async function corpus() {
  const source = await readFile(new URL('../injection.rs', import.meta.url), 'utf8');
  const listed = /const CORPUS[^=]*= \[(.*?)\n\];/s.exec(source)[1];
  const texts = [...listed.matchAll(/^\s*"((?:[^"\\]|\\.)*)",$/gm)].map(([, text]) =>
    text
      .replace(/\\u\{(\w+)\}/g, (_, hex) => String.fromCodePoint(Number.parseInt(hex, 16)))
      .replace(/\\(.)/g, (_, c) => ({ n: '\n', r: '\r' })[c] ?? c),
  );
  assert(texts.length >= 10, 'the corpus was not found');
  return [
    ...texts,
    '<svg/onload=window.ran=1>',
    "'-window.ran=1-'",
    '<iframe srcdoc="<script>parent.ran=1</script>">',
    '</script><script>window.ran=1</script>',
  ];
}

export async function hostile() {
  const token = await organisation('hostile', 'Hostile <script>window.ran=1</script> Ltd');
  const far = await Far.start();
  const texts = await corpus();
  const markup = '<img src=x onerror=window.ran=1>';
  far.names = { hostile: markup };
  far.texts = { hostile: '</p><script>window.ran=1</script>' };
  const app = await api(token, 'POST', '/v1/apps', { descriptorUrl: `${far.base}/hostile.json` });
  await api(token, 'POST', '/v1/incoming-webhooks', { name: markup, channels: ['#general'] }).catch(() => undefined);
  const route = await api(token, 'POST', '/v1/routes', {
    name: markup,
    types: ['hostile.*'],
    template: '{{ data.text }}',
    destination: { kind: 'webhook', name: '"><svg onload=window.ran=1>', url: `${far.base}/hook` },
  });
  let event;
  // The server takes no U+0000.
  for (const text of texts.map((one) => one.replaceAll('\0', ''))) {
    event = await api(token, 'POST', '/v1/events', { type: 'hostile.text', data: { text, [text.slice(0, 60)]: text } });
  }
  const list = () => api(token, 'GET', `/v1/deliveries?eventId=${event.id}`);
  const delivery = await eventually(
    async () => (await list()).data.find(({ attemptCount }) => attemptCount > 0),
    'a delivery',
  );
  const { page, leave } = await visitor();
  await signIn(page, token);
  for (const path of [
    '/',
    '/routes',
    `/routes/${route.id}`,
    '/deliveries',
    `/deliveries/${delivery.id}`,
    '/events',
    `/events/${event.id}`,
    '/apps',
    `/apps/${app.id}`,
    '/webhooks',
    '/organisation',
    '/organisation/audit',
  ]) {
    await page.goto(`${server}/portal${path}`);
    await settled(page);
    await assertTame(page, path);
  }
  await page.goto(`${server}/portal/routes`);
  await page.getByRole('link', { name: markup }).waitFor();
  await page.goto(`${server}/portal/routes/${route.id}`);
  await page.getByText(`${texts.length} of the last ${texts.length} events would match`).waitFor();
  for (const row of await page.locator('.matches button').all()) {
    await row.click();
    await assertTame(page, 'a preview');
  }
  for (const text of texts.filter((one) => !one.includes('\0'))) {
    await page.goto(`${server}/portal/deliveries?text=${encodeURIComponent(text)}&type=${encodeURIComponent(text)}`);
    await settled(page);
    await assertTame(page, text);
  }
  for (const next of ['//evil.example/', 'https://evil.example/', 'javascript:window.ran=1', '/\\evil.example']) {
    await page.goto(`${server}/portal/sign-in?next=${encodeURIComponent(next)}`);
    await settled(page);
    assert.equal(new URL(page.url()).origin, server, `${next} leads away`);
    await assertTame(page, next);
  }
  await leave('hostile texts');
  far.close();
}

async function assertTame(page, where) {
  const state = await page.evaluate(() => ({
    ran: window.ran ?? null,
    foreign: document.querySelectorAll('iframe, object, embed, script:not([src]), [onerror], [onload], img[src="x"]')
      .length,
    links: [...document.querySelectorAll('a[href]')].filter(({ protocol }) => !['http:', 'https:'].includes(protocol))
      .length,
  }));
  assert.deepEqual(state, { ran: null, foreign: 0, links: 0 }, `something of a hostile text is alive on ${where}`);
}
