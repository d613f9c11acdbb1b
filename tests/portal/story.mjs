// The story of an admin: connect, choose, see what would match, test, break, cure, replay.
import assert from 'node:assert/strict';
import { api, control, settled, signIn, visitor } from './browser.mjs';
import { eventually } from './world.mjs';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

/** No id may be on a page unless somebody asks for it; a payload is shown as it is. */
export async function assertNoIds(page) {
  const parts = page.locator('body *:not(pre, pre *, code, script):not(:has(*))');
  const text = (await parts.allInnerTexts()).join('\n');
  assert(!UUID.test(text), `${page.url()} shows an id: ${text.match(UUID)?.[0]}`);
}

/** Connects Slack by the stand-in's pages, and comes back. */
export async function connectSlack(page) {
  await page.getByRole('button', { name: 'Connect Slack' }).click();
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.getByRole('button', { name: /^Connect it to/ }).click();
  await page.getByText('Slack is connected.').waitFor();
}

/** Connects GitHub by the stand-in's pages, and comes back. */
export async function connectGithub(page) {
  await page.getByRole('button', { name: 'Connect GitHub' }).click();
  await page.getByText('Continue as ada').click();
  await page.getByRole('link', { name: 'Install on acme' }).click();
  await page.getByRole('button', { name: 'Install & Authorize' }).click();
  await page.getByRole('button', { name: /^Link acme to/ }).click();
  await page.getByText('GitHub is connected.').waitFor();
}

async function removeBot(channel) {
  await control('/slack/leave', { team: 'T0STANDIN', channel });
}

async function inviteBot(channel) {
  await control('/slack/join', { team: 'T0STANDIN', channel });
}

/** A part of the story, told when it fails. */
async function step(name, act) {
  try {
    await act();
  } catch (error) {
    error.message = `${name}: ${error.message}`;
    throw error;
  }
}

export async function story({ token, picture }) {
  const { page, leave } = await visitor({ refused: [] });
  await step('sign in', async () => {
    await signIn(page, token);
    await settled(page);
    assert.equal(await page.getByRole('button', { name: /^Connect (Slack|GitHub)$/ }).count(), 2);
    assert.equal(await page.locator('.steps > li').count(), 3);
    await picture(page, 'start');
  });
  await step('connect', async () => {
    await connectSlack(page);
    await connectGithub(page);
    assert.equal(new URL(page.url()).pathname, '/portal/');
    await page.getByRole('heading', { name: 'Slack: Acme Stand-in' }).waitFor();
    await page.getByRole('heading', { name: /^GitHub: / }).waitFor();
    await assertNoIds(page);
  });
  for (const total of [40, 250, 990]) {
    await api(token, 'POST', '/v1/events', {
      type: 'order.created',
      attributes: { region: 'eu' },
      data: { number: 1000 + total, total, customer: 'Ada Lovelace' },
    });
  }
  await step('make a route', () => makeRoute(page, picture));
  await step('send a test', async () => {
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('The test has arrived.').waitFor();
    const messages = await control('/slack/messages');
    assert(JSON.stringify(messages).includes('C0SECRET'), 'nothing arrived in the channel');
  });
  await step('break it', () => breakIt(page, picture));
  await step('cure it', () => cureIt(page, token, picture));
  await step('pause it', () => pauseIt(page));
  await step('follow a repository', () => followRepository(page, token));
  await leave('the story');
}

async function makeRoute(page, picture) {
  await page.getByRole('link', { name: 'New route' }).first().click();
  await page.getByLabel('Event types').fill('order.*');
  await page.getByRole('button', { name: 'Add a condition' }).click();
  await page.getByLabel('Field').fill('data.total');
  await page.getByLabel('Comparison').selectOption('>');
  await page.getByLabel('Value').fill('100');
  const channel = page.getByRole('combobox', { name: 'Slack channel' });
  await channel.click();
  await channel.fill('general');
  const closed = page.getByRole('option', { name: /general/ });
  await closed.waitFor();
  assert.equal(await closed.getAttribute('aria-disabled'), 'true', 'a channel without the bot can be chosen');
  await channel.fill('secret');
  const option = page.getByRole('option', { name: /secret-plans/ });
  assert.match(await option.innerText(), /private, bot is in it/);
  await channel.press('Enter');
  assert.equal(await channel.inputValue(), 'secret-plans');
  await page.getByText('2 of the last').waitFor();
  await page.getByLabel('Template').fill('*Order {{ data.number }}* of {{ data.customer }}: {{ data.total }} EUR');
  await page.locator('.message-body strong', { hasText: 'Order 1990' }).waitFor();
  await page.getByLabel('Name').fill('Large orders');
  await page
    .getByRole('button', { name: /does not match/ })
    .first()
    .click();
  await page
    .getByRole('button', { name: /^ ?matches/ })
    .first()
    .click();
  await settled(page);
  await picture(page, 'route-editor');
  await page.getByRole('button', { name: 'Create route' }).click();
  await page.getByRole('heading', { level: 1, name: 'Large orders' }).waitFor();
  await assertNoIds(page);
}

async function breakIt(page, picture) {
  await removeBot('C0SECRET');
  await page.getByRole('button', { name: 'Send a test' }).click();
  await page.getByText(/The test did not arrive:/).waitFor();
  await page.getByRole('link', { name: 'Home', exact: true }).click();
  const card = page.locator('.card.edge-bad', { hasText: 'secret-plans' });
  await card.getByText('Failing').waitFor();
  assert.match(await card.innerText(), /invite/i, 'the card does not say what to do');
  await picture(page, 'home-failing');
  await assertNoIds(page);
}

async function cureIt(page, token, picture) {
  await inviteBot('C0SECRET');
  const card = page.locator('.card', { has: page.getByRole('heading', { name: 'secret-plans' }) });
  await card.getByRole('button', { name: 'Replay failed' }).click();
  await page.getByText('1 failed delivery will be sent again.').waitFor();
  await picture(page, 'replay');
  await page.getByRole('button', { name: 'Replay 1' }).click();
  await card.getByText('Healthy').waitFor();
  assert.equal(await page.locator('.card.edge-bad').count(), 0);
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Deliveries' }).click();
  await page
    .getByRole('row', { name: /destination\.test/ })
    .first()
    .waitFor();
  // The list follows by itself.
  await api(token, 'POST', '/v1/events', {
    type: 'order.created',
    attributes: { region: 'eu' },
    data: { number: 2001, total: 480, customer: 'Grace Hopper' },
  });
  const row = page.getByRole('row', { name: /order\.created/ });
  await row.getByText('Delivered').waitFor();
  await picture(page, 'deliveries');
  await row.getByRole('link').click();
  await page.getByText('Attempt 1').waitFor();
  await page.getByText('by the route “Large orders”').waitFor();
  await picture(page, 'delivery');
  await assertNoIds(page);
  await page.getByRole('link', { name: 'See the event' }).click();
  await page.getByRole('heading', { name: 'Decisions' }).waitFor();
  await page.getByText('Grace Hopper').first().waitFor();
  await picture(page, 'event');
  await assertNoIds(page);
  await page.getByRole('button', { name: 'Send again' }).click();
  await page.getByText('The event is sent again, as a new one.').waitFor();
}

async function pauseIt(page) {
  await page.getByRole('link', { name: 'Home', exact: true }).click();
  const card = (name) => page.getByRole('article', { name });
  await card('Slack: Acme Stand-in').getByRole('button', { name: 'Pause' }).click();
  await card('Slack: Acme Stand-in').getByText('Paused', { exact: true }).waitFor();
  await card('secret-plans').getByText('Paused', { exact: true }).waitFor();
  await card('Slack: Acme Stand-in').getByRole('button', { name: 'Resume' }).click();
  await card('secret-plans').getByText('Healthy').waitFor();
  await card('Slack: Acme Stand-in').getByRole('button', { name: 'Test' }).click();
  await page.getByText('Acme Stand-in answers. The connection works.').waitFor();
}

async function followRepository(page, token) {
  await control('/github/send', { event: 'issues', action: 'opened', repository: 'acme/web', title: 'Paying fails' });
  await page.getByRole('link', { name: 'New route' }).first().click();
  await page.getByLabel('Event types').fill('github.*');
  await page.getByLabel('GitHub', { exact: true }).check();
  const repository = page.getByRole('combobox', { name: 'Add a repository' });
  await repository.fill('web');
  await page.getByRole('option', { name: 'acme/web' }).waitFor();
  await repository.press('Enter');
  assert.equal(await page.getByLabel('Repositories').inputValue(), 'acme/web');
  await page.getByLabel('issues', { exact: true }).check();
  const channel = page.getByRole('combobox', { name: 'Slack channel' });
  await channel.fill('alerts');
  await channel.press('Enter');
  await page.getByText(/^1 of the last \d+ events would match$/).waitFor();
  await page.locator('.message-body', { hasText: 'Paying fails' }).waitFor();
  await page.getByRole('button', { name: 'Create route' }).click();
  await page.getByRole('heading', { level: 1, name: 'github.* → alerts' }).waitFor();
  await page.getByLabel('Name').fill('Issues of the web shop');
  await page.getByRole('button', { name: 'Save route' }).click();
  await page.getByRole('heading', { level: 1, name: 'Issues of the web shop' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Save route', 'saving loses the focus');
  await control('/github/send', { event: 'issues', action: 'opened', repository: 'acme/web', number: 2, title: 'Too slow' });
  await eventually(async () => JSON.stringify(await control('/slack/messages')).includes('Too slow'), 'the message of an issue');
  const [route] = (await api(token, 'GET', '/v1/routes')).data.filter(({ name }) => name === 'Issues of the web shop');
  assert.deepEqual(route.rule.github.repositories, ['acme/web']);
}
