// Apps and webhooks: the lint in place, settings, order by keyboard and by drag, secrets, an address that works.
import assert from 'node:assert/strict';
import { api, server, settled, signIn, visitor } from './browser.mjs';
import { eventually, Far, organisation, publish } from './world.mjs';
import { assertNoIds } from './story.mjs';

export async function apps() {
  const token = await organisation('apps', 'Apps Ltd');
  const far = await Far.start();
  await api(token, 'POST', '/v1/channels', { name: 'general' });
  const { page, leave } = await visitor();
  await signIn(page, token, '/apps');
  await settled(page);
  await install(page, far);
  await settings(page, token);
  await order(page, token, far);
  await catalogue(page, token);
  await incoming(page, token);
  await outgoing(page, far);
  await leave('apps');
  await connect(token, far);
  far.close();
}

/** An OAuth app has a button that leads to its page, with a key of its own. */
async function connect(token, far) {
  const { page, leave } = await visitor({ hosts: [far.base] });
  const [greeter] = (await api(token, 'GET', '/v1/apps')).data.filter(({ name }) => name === 'greeter');
  await signIn(page, token, `/apps/${greeter.id}`);
  await page.getByRole('heading', { level: 1, name: 'greeter' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Connect' }).count(), 0, 'greeter is no OAuth app');
  const app = await api(token, 'POST', '/v1/apps', { descriptorUrl: `${far.base}/calendar.json` });
  await page.goto(`${server}/portal/apps/${app.id}`);
  await page.getByRole('button', { name: 'Connect' }).click();
  await page.waitForURL((url) => url.origin === far.base);
  const query = new URL(page.url()).searchParams;
  assert.match(query.get('api_key'), /^tlx_/);
  assert.equal(query.get('integration_id'), app.id);
  await leave('connect');
}

async function install(page, far) {
  await page.getByRole('button', { name: 'Install by address' }).click();
  const address = page.getByLabel('Address of the descriptor');
  await address.fill(`${far.base}/broken.json`);
  await page.getByRole('button', { name: 'Check' }).click();
  await page.getByText('The descriptor cannot be installed.').waitFor();
  assert((await page.getByRole('list', { name: 'Findings' }).getByRole('listitem').count()) > 0, 'no finding is shown');
  assert.equal(await page.getByRole('button', { name: 'Install', exact: true }).count(), 0);
  await address.fill(`${far.base}/greeter.json`);
  await address.press('Enter');
  await page.getByText('The descriptor can be installed.').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Install', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'greeter' }).waitFor();
  await assertNoIds(page);
}

async function settings(page, token) {
  await page.getByLabel('greeting').fill('Good morning');
  await page.getByLabel('tone').selectOption('loud');
  await page.getByLabel('length').fill('40');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved').waitFor();
  const [app] = (await api(token, 'GET', '/v1/apps')).data;
  const stored = (await api(token, 'GET', `/v1/apps/${app.id}/settings`)).settings;
  assert.equal(stored.greeting, 'Good morning');
  assert.equal(stored.tone, 'loud');
  assert.equal(Number(stored.length), 40);
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.locator('code.chip').waitFor();
  await page.getByRole('button', { name: 'Hide', exact: true }).click();
}

/** Names of the apps in the channel, as the server has them. */
async function orderOf(token) {
  const [channel] = (await api(token, 'GET', '/v1/channels')).data;
  const { data } = await api(token, 'GET', `/v1/channels/${channel.id}/apps`);
  return data.map(({ name }) => name).join(' ');
}

async function order(page, token, far) {
  const [channel] = (await api(token, 'GET', '/v1/channels')).data;
  for (const name of ['greeter', 'second', 'third']) {
    const known = (await api(token, 'GET', '/v1/apps')).data.find((app) => app.name === name);
    const app = known ?? (await api(token, 'POST', '/v1/apps', { descriptorUrl: `${far.base}/${name}.json` }));
    await api(token, 'PUT', `/v1/channels/${channel.id}/apps/${app.id}`, { active: true });
  }
  await page.getByRole('link', { name: 'Apps', exact: true }).first().click();
  const up = page.getByRole('button', { name: 'Move third up' });
  await up.focus();
  await page.keyboard.press('Enter');
  await page.getByText('third is number 2 of 3.').waitFor();
  assert.equal(await orderOf(token), 'greeter third second');
  await page
    .locator('li[draggable]', { hasText: 'second' })
    .dragTo(page.locator('li[draggable]', { hasText: 'greeter' }));
  await page.getByText('second is number 1 of 3.').waitFor();
  assert.equal(await orderOf(token), 'second greeter third');
}

async function catalogue(page, token) {
  await publish(token, 'apps', 'pager', 'Pager', 'Wakes somebody up.');
  await page.reload();
  await page.getByLabel('Search the catalogue').fill('wakes');
  const card = page.getByRole('article', { name: 'Pager' });
  await card.getByRole('button', { name: 'Install' }).click();
  await page.getByRole('heading', { level: 1, name: 'Pager' }).waitFor();
  await page.getByRole('button', { name: 'Uninstall' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Uninstall' }).click();
  await page.getByText('The app is uninstalled.').waitFor();
}

async function incoming(page, token) {
  await page.getByRole('link', { name: 'Webhooks' }).click();
  await page.getByRole('link', { name: 'New incoming webhook' }).click();
  await page.getByLabel('Name').fill('Build server');
  await page.getByLabel('Channels').fill('#general');
  await page.getByRole('button', { name: 'Create webhook' }).click();
  await page.getByRole('heading', { level: 1, name: 'Build server' }).waitFor();
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  const address = await page.locator('code.chip').innerText();
  await page.getByRole('button', { name: 'Hide', exact: true }).click();
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"text": "The build is green"}',
  });
  assert(response.ok, `the address answers ${response.status}`);
  await eventually(async () => {
    const { data } = await api(token, 'GET', '/v1/events?limit=50');
    return data.some((event) => JSON.stringify(event.data).includes('The build is green'));
  }, 'the message of the webhook');
  await page.getByRole('textbox', { name: 'Script' }).fill('class Script {');
  await page.getByLabel('Run the script').check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.note.bad', { hasText: 'SyntaxError' }).waitFor();
}

async function outgoing(page, far) {
  await page.getByRole('link', { name: 'Webhooks' }).click();
  await page.getByRole('link', { name: 'New outgoing webhook' }).click();
  await page.getByLabel('Name').fill('Answers');
  await page.getByLabel('URLs').fill(`${far.base}/answers`);
  await page.getByRole('button', { name: 'Create webhook' }).click();
  await page.getByRole('heading', { level: 1, name: 'Answers' }).waitFor();
  await page.getByText('It has not been called yet.').waitFor();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('No outgoing webhook').waitFor();
}
