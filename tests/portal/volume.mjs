// Ten thousand deliveries: the list scrolls to its end, with few rows in the document. Polling: only what is seen.
import assert from 'node:assert/strict';
import { api, settled, signIn, visitor } from './browser.mjs';
import { acceptEvents, Far, organisation } from './world.mjs';

const COUNT = 10_000;

export async function volume() {
  const token = await organisation('volume', 'Volume Ltd');
  const far = await Far.start();
  await api(token, 'POST', '/v1/routes', {
    types: ['tick.*'],
    destination: { kind: 'webhook', url: `${far.base}/hook` },
  });
  await acceptEvents(token, COUNT, (number) => ({ type: 'tick.counted', data: { number } }));
  const { page, leave } = await visitor();
  await signIn(page, token, '/deliveries');
  await settled(page);
  await page.getByText('100 deliveries, and more').waitFor();
  let most = 0;
  const done = page.getByText(`${COUNT.toLocaleString('en')} deliveries`, { exact: false });
  for (let turn = 0; turn < 400 && (await done.count()) === 0; turn += 1) {
    const before = await page.locator('[role=status]').first().innerText();
    await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
    await page.waitForFunction((text) => document.querySelector('[role=status]')?.innerText !== text, before);
    most = Math.max(most, await page.locator('tr[data-row]').count());
  }
  assert.equal(await done.count(), 1, 'the end of the list was not reached');
  assert(most < 120, `${most} rows are in the document`);
  await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
  await page.locator(`tr[aria-rowindex="${COUNT + 1}"]`).waitFor();
  const last = page.locator(`tr[aria-rowindex="${COUNT + 1}"]`);
  assert(await last.isVisible());
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.locator('tr[aria-rowindex="2"]').waitFor();
  await leave('many deliveries');
  far.close();
}

/** A page asks again while it is visible, and at once when it becomes visible. The clock is the test's. */
export async function polling() {
  const token = await organisation('polling', 'Polling Ltd');
  const { page, leave } = await visitor();
  await page.clock.install();
  await signIn(page, token, '/deliveries');
  await settled(page);
  let asked = 0;
  page.on('request', (request) => {
    if (request.url().includes('/v1/deliveries?')) asked += 1;
  });
  const again = page.waitForRequest(/deliveries\?/);
  await page.clock.runFor(5000);
  await again;
  const show = (hidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await page.waitForLoadState('networkidle');
  await show(true);
  const before = asked;
  assert(before > 0);
  await page.clock.runFor(60_000);
  assert.equal(asked, before, 'a page that nobody sees is polled');
  const seen = page.waitForRequest(/deliveries\?/);
  await show(false);
  await seen;
  await leave('polling');
}
