// The operators' pages: what each shows, at three widths, light and dark, by keyboard; and that neither kind of session
// sees the pages of the other.
import assert from 'node:assert/strict';
import { api, findings, overflows, server, settled, signIn, visitor } from './browser.mjs';
import { tabTo } from './keyboard.mjs';
import { assertNoIds } from './story.mjs';
import { eventually, operator, organisation, publish } from './world.mjs';

const WIDTHS = [360, 820, 1280];
const PAGES = {
  organisations: '/',
  'organisations-by-slug': '/?order=slug&slug=op-',
  'organisations-none': '/?slug=zzz',
  backlog: '/backlog',
  failing: '/failing',
  disabled: '/failing?health=disabled',
  registry: '/registry',
  'not-found': '/routes',
};
const PICTURES = new Set(['organisations', 'backlog', 'failing', 'registry']);

/** Makes an organisation with a destination that nobody answers, and events for it. */
async function troubled(slug, name, destination) {
  const token = await organisation(slug, name);
  const make = (path, body) => api(token, 'POST', path, body);
  // Nobody listens at this port; the schedule keeps the deliveries pending.
  const place = { kind: 'webhook', name: destination, url: 'http://127.0.0.1:9/hook?token=hunter2' };
  const { id } = await make('/v1/destinations', place);
  await api(token, 'PATCH', `/v1/destinations/${id}`, { retrySchedule: [1, 1, 1, 1, 1, 1, 3600] });
  await make('/v1/routes', { types: ['order.*'], destinationId: id });
  for (const number of [1, 2, 3]) await make('/v1/events', { type: 'order.created', data: { number } });
  return { token, id };
}

/** Requests the verification of every version of an organisation. */
async function submit(token) {
  const { data } = await api(token, 'GET', '/v1/registry/versions');
  const own = data.filter(({ secretNames }) => secretNames);
  for (const { id } of own) await api(token, 'POST', `/v1/registry/versions/${id}/verification`);
}

async function world() {
  const first = await troubled('op-birch', 'Birch Ltd', 'Billing');
  await troubled('op-alder', 'Alder & Sons', 'Warehouse');
  await organisation('op-quiet', 'Quiet Ltd');
  await publish(first.token, 'op-birch', 'pager', 'Pager', 'Wakes somebody up when it has to.');
  await publish(first.token, 'op-birch', 'teams', 'Teams', 'Posts messages to the rooms of Teams.');
  await submit(first.token);
  const nina = await operator('Nina');
  const failing = () => api(nina, 'GET', '/v1/operator/failing-destinations');
  await eventually(async () => {
    const names = (await failing()).data.map(({ name }) => name);
    return names.includes('Billing') && names.includes('Warehouse');
  }, 'the destinations are failing');
  return { nina, ...first };
}

export async function operators({ picture }) {
  const { nina, token } = await world();
  const faults = [];
  for (const theme of ['light', 'dark']) {
    const { page, leave } = await visitor({ theme });
    await signIn(page, nina);
    for (const [name, path] of Object.entries(PAGES)) {
      await page.goto(`${server}/portal${path}`);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: width < 500 ? 780 : 900 });
        await settled(page);
        await assertNoIds(page);
        for (const finding of await findings(page)) faults.push(`${name}, ${theme}, ${width}: ${finding}`);
        if (await overflows(page)) faults.push(`${name}, ${theme}, ${width}: wider than the screen`);
        if (width === 1280 && theme === 'light' && PICTURES.has(name)) await picture(page, `operator-${name}`);
      }
    }
    await leave(`the operators' pages, ${theme}`);
  }
  assert.deepEqual(faults, []);
  await content(nina);
  await review(nina);
  await apart(nina, token);
}

/** Checks the texts of the pages. */
async function content(nina) {
  const { page, leave } = await visitor();
  await signIn(page, nina);
  await settled(page);
  const birch = page.getByRole('row', { name: /Birch Ltd/ });
  await birch.getByText('1 failing').waitFor();
  await page.getByLabel('Slug begins with').fill('op-a');
  await page.getByRole('row', { name: /Birch Ltd/ }).waitFor({ state: 'detached' });
  await page.getByRole('row', { name: /Alder & Sons/ }).waitFor();
  await page.getByRole('link', { name: 'Backlog' }).click();
  await page.getByRole('region', { name: 'By destination' }).getByRole('row', { name: /Billing/ }).waitFor();
  await page.getByRole('link', { name: 'Failing destinations' }).click();
  const row = page.getByRole('row', { name: /Billing/ });
  await row.getByText(/attempts in a row failed/).waitFor();
  assert(!(await page.content()).includes('hunter2'), 'a secret is shown');
  await leave('what operators see');
}

/** A version is approved by keyboard, and another one is rejected after a question. */
async function review(nina) {
  const { page, leave } = await visitor();
  await page.goto(`${server}/portal/registry`);
  await page.getByLabel('Access token').waitFor();
  await page.keyboard.type(nina);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Registry' }).waitFor();
  await settled(page);
  await tabTo(page, 'Approve: op-birch/pager 1.2.0');
  await page.keyboard.press('Enter');
  await page.getByText('op-birch/pager 1.2.0 is approved.').waitFor();
  await page.getByRole('row', { name: /pager/ }).waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1', 'the focus is lost');
  await settled(page);
  await tabTo(page, 'Reject: op-birch/teams 1.2.0');
  await page.keyboard.press('Space');
  assert.deepEqual(await findings(page), []);
  await page.getByRole('dialog').getByRole('button', { name: 'Reject' }).press('Enter');
  await page.getByText('op-birch/teams 1.2.0 is rejected.').waitFor();
  await page.getByText('No version waits for a verification').waitFor();
  await leave('a review');
}

/** Each kind of session has its own pages. */
async function apart(nina, token) {
  const ours = await visitor();
  await signIn(ours.page, nina);
  for (const path of ['/routes', '/deliveries', '/events', '/apps', '/organisation']) {
    await ours.page.goto(`${server}/portal${path}`);
    await ours.page.getByRole('heading', { level: 1, name: 'Page not found' }).waitFor();
  }
  await ours.page.getByRole('button', { name: 'Sign out' }).click();
  await ours.page.getByLabel('Access token').waitFor();
  await ours.leave("an organisation's pages");
  const theirs = await visitor();
  await signIn(theirs.page, token);
  for (const path of ['/backlog', '/failing', '/registry']) {
    await theirs.page.goto(`${server}/portal${path}`);
    await theirs.page.getByRole('heading', { level: 1, name: 'Page not found' }).waitFor();
  }
  assert.equal(await theirs.page.getByRole('link', { name: 'Backlog' }).count(), 0);
  const status = await theirs.page.evaluate(async () => (await fetch('/v1/session')).status);
  assert.equal(status, 200);
  await theirs.leave("the operators' pages");
}
