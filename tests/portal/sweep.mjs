// Every page at three widths, light and dark: nothing that axe-core finds, nothing wider than the screen, no id.
import assert from 'node:assert/strict';
import { findings, overflows, server, settled, signIn, visitor } from './browser.mjs';
import { assertNoIds } from './story.mjs';
import { Far, furnish, organisation } from './world.mjs';

const WIDTHS = [360, 820, 1280];
// The story has pictures of the other pages.
const PICTURES = new Set([
  'routes',
  'route',
  'events',
  'apps',
  'app',
  'webhooks',
  'webhook-incoming',
  'webhook-outgoing',
  'organisation',
  'members',
  'tokens',
  'audit-log',
]);
const SMALL = new Set(['home', 'deliveries-list', 'route']);

function pagesOf({ apps, incoming, outgoing, route, event, delivery }) {
  return {
    home: '/',
    routes: '/routes',
    'route-new': '/routes/new',
    route: `/routes/${route.id}`,
    'deliveries-list': '/deliveries',
    'deliveries-none': '/deliveries?state=failed',
    'delivery-webhook': `/deliveries/${delivery.id}`,
    events: '/events',
    'event-webhook': `/events/${event.id}`,
    apps: '/apps',
    app: `/apps/${apps[0].id}`,
    webhooks: '/webhooks',
    'webhook-incoming': `/webhooks/incoming/${incoming.id}`,
    'webhook-outgoing': `/webhooks/outgoing/${outgoing.id}`,
    organisation: '/organisation',
    members: '/organisation/members',
    tokens: '/organisation/tokens',
    'audit-log': '/organisation/audit',
    'not-found': '/nowhere',
  };
}

export async function sweep({ picture }) {
  const token = await organisation('acme-shop', 'Acme Shop');
  const far = await Far.start();
  const pages = pagesOf(await furnish(token, 'acme-shop', far));
  const faults = [];
  for (const theme of ['light', 'dark']) {
    const { page, leave } = await visitor({ theme });
    await page.goto(`${server}/portal/`);
    await page.getByLabel('Access token').waitFor();
    for (const finding of await findings(page)) faults.push(`sign-in, ${theme}: ${finding}`);
    if (theme === 'light') await picture(page, 'sign-in');
    await signIn(page, token);
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(`${server}/portal${path}`);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: width < 500 ? 780 : 900 });
        await settled(page);
        await assertNoIds(page);
        for (const finding of await findings(page)) faults.push(`${name}, ${theme}, ${width}: ${finding}`);
        if (await overflows(page)) faults.push(`${name}, ${theme}, ${width}: wider than the screen`);
        if (width === 1280 && theme === 'light' && PICTURES.has(name)) await picture(page, name);
        if (width === 360 && theme === 'dark' && SMALL.has(name)) await picture(page, `${name}-small-dark`);
      }
    }
    for (const finding of await dialogs(page, theme)) faults.push(finding);
    await leave(`every page, ${theme}`);
  }
  far.close();
  assert.deepEqual(faults, []);
}

/** The dialogs, which hide the page behind them. */
async function dialogs(page, theme) {
  const faults = [];
  for (const [path, button] of [
    ['/apps', 'Install by address'],
    ['/events', 'Send an event'],
    ['/deliveries', 'Replay failed…'],
    ['/organisation/members', 'Add a member'],
    ['/organisation/tokens', 'New token'],
  ]) {
    await page.goto(`${server}/portal${path}`);
    await settled(page);
    await page.getByRole('button', { name: button }).click();
    await page.getByRole('dialog').waitFor();
    await settled(page);
    for (const finding of await findings(page)) faults.push(`${button}, ${theme}: ${finding}`);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const focused = await page.evaluate(() => document.activeElement?.textContent?.trim());
    if (focused !== button) faults.push(`${button}: the focus is lost when the dialog closes: ${focused}`);
  }
  return faults;
}
