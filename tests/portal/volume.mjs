// Ten thousand deliveries: the list scrolls to its end, with few rows in the document.
import assert from 'node:assert/strict';
import { api, settled, signIn, visitor } from './browser.mjs';
import { acceptEvents, Far, organisation } from './world.mjs';

const COUNT = 10_000;

export async function volume() {
  const token = await organisation('volume', 'Volume Ltd');
  const far = await Far.start();
  await api(token, 'POST', '/v1/routes', { types: ['tick.*'], destination: { kind: 'webhook', url: `${far.base}/hook` } });
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
