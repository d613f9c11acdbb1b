// Members, tokens, the retry schedule and the audit log.
import assert from 'node:assert/strict';
import { api, server, settled, signIn, visitor } from './browser.mjs';
import { organisation } from './world.mjs';

export async function people() {
  const token = await organisation('people', 'People Ltd');
  const { page, leave } = await visitor();
  await signIn(page, token, '/organisation');
  await settled(page);
  await page.getByLabel('Pauses').fill('10 s, 5 min, 2 h');
  await page.getByRole('region', { name: 'Retry schedule' }).getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved').waitFor();
  const [{ id }] = (await api(token, 'GET', '/v1/organisations')).data;
  assert.deepEqual((await api(token, 'GET', `/v1/organisations/${id}/retry-schedule`)).retrySchedule, [10, 300, 7200]);
  await product(page, token, id);
  await members(page);
  await tokens(page);
  await page.getByRole('link', { name: 'Audit log' }).click();
  await page.getByText('member.').first().waitFor();
  await page.getByText('ada').first().waitFor();
  await leave('the organisation');
}

async function product(page, token, id) {
  const part = page.getByRole('region', { name: 'In your product' });
  await part.getByLabel(/^Pages that may show/).fill('https://app.example.com');
  await part.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved').nth(1).waitFor();
  assert.deepEqual((await api(token, 'GET', `/v1/organisations/${id}/frame-ancestors`)).origins, [
    'https://app.example.com',
  ]);
  await part.getByRole('button', { name: 'Make a link' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Apps').uncheck();
  await dialog.getByRole('button', { name: 'Make a link' }).click();
  assert.match(await dialog.locator('code.chip').innerText(), /\/portal\/open\?code=/);
  await dialog.getByRole('button', { name: 'Done' }).click();
}

async function members(page) {
  await page.getByRole('link', { name: 'Members' }).click();
  await page.getByRole('button', { name: 'Add a member' }).click();
  await page.getByLabel('Username').fill('max');
  await page.getByLabel('E-mail').fill('max@people.example');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText('max is added.').waitFor();
  await page.getByLabel('Role of max').selectOption('admin');
  await page.getByText('max is now: Admin.').waitFor();
}

async function tokens(page) {
  await page.getByRole('link', { name: 'Access tokens' }).click();
  await page.getByRole('button', { name: 'New token' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Reports');
  await dialog.getByLabel('Permissions').selectOption('some');
  await dialog.getByLabel('deliveries:read').check();
  await dialog.getByRole('button', { name: 'Create' }).click();
  const made = await dialog.locator('code.chip').innerText();
  await dialog.getByRole('button', { name: 'Done' }).click();
  assert.equal((await api(made, 'GET', '/v1/deliveries')).data.length, 0);
  const row = page.getByRole('row', { name: /Reports/ });
  await row.getByText('1 permission').waitFor();
  await row.getByRole('button', { name: /^Revoke/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await row.getByText('Revoked').waitFor();
  const refused = await fetch(`${server}/v1/deliveries`, { headers: { authorization: `Bearer ${made}` } });
  assert.equal(refused.status, 401);
}
