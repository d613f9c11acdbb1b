// The main story without a mouse: every control is reached by Tab, and works by Enter, Space and arrows.
import assert from 'node:assert/strict';
import { api, server, settled, visitor } from './browser.mjs';
import { Far, organisation } from './world.mjs';

/** Presses Tab until a control with this name has the focus, which has to be visible. */
export async function tabTo(page, name) {
  for (let pressed = 0; pressed < 90; pressed += 1) {
    await page.keyboard.press('Tab');
    const found = await page.evaluate((wanted) => {
      const element = document.activeElement;
      const label =
        element?.labels?.[0]?.textContent ?? element?.getAttribute('aria-label') ?? element?.textContent ?? '';
      if (label.replace(' (optional)', '').trim() !== wanted) return null;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return `${outlineStyle} ${outlineWidth}`;
    }, name);
    if (found !== null) {
      assert.match(found, /^(solid|auto) [1-9]/, `the focus on ${name} cannot be seen`);
      return;
    }
  }
  assert.fail(`${name} is not reached by Tab on ${page.url()}`);
}

export async function keyboard() {
  const token = await organisation('keyboard', 'Keyboard Ltd');
  const far = await Far.start();
  await api(token, 'POST', '/v1/events', { type: 'order.created', data: { total: 120 } });
  await api(token, 'POST', '/v1/destinations', { kind: 'webhook', name: 'Shop', url: `${far.base}/shop` });
  const { page, leave } = await visitor();
  await page.goto(`${server}/portal/`);
  await page.getByLabel('Access token').waitFor();
  await page.keyboard.type(token);
  await page.keyboard.press('Enter');
  await settled(page);
  await tabTo(page, 'Skip to the content');
  await tabTo(page, 'New route');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'New route' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1', 'the focus is not at the new page');
  await tabTo(page, 'Event types');
  await page.keyboard.type('order.*');
  await tabTo(page, 'Send to');
  await page.keyboard.press('ArrowDown');
  await tabTo(page, 'Destination');
  await page.keyboard.type('sho');
  await page.keyboard.press('Enter');
  await tabTo(page, 'Name');
  await page.keyboard.type('By keyboard');
  await page.getByText('1 of the last 1 event would match').waitFor();
  await tabTo(page, 'Create route');
  await page.keyboard.press('Space');
  await page.getByRole('heading', { level: 1, name: 'By keyboard' }).waitFor();
  await tabTo(page, 'Send a test');
  await page.keyboard.press('Enter');
  await page.getByText('The test has arrived.').waitFor();
  assert.equal(far.calls.length, 1);
  await leave('the keyboard');
  far.close();
}
