// The door: a wrong token, signing in and out, a session that ends, a member without permissions, two organisations.
import assert from 'node:assert/strict';
import { api, server, settled, signIn, visitor } from './browser.mjs';
import { Far, member, organisation } from './world.mjs';

export async function door() {
  const token = await organisation('door', 'Door Ltd');
  const { page, context, leave } = await visitor({ refused: [401] });
  await page.goto(`${server}/portal/deliveries?state=failed`);
  await page.getByLabel('Access token').fill('tl_wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This token is not valid.').waitFor();
  await page.getByLabel('Access token').fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Deliveries' }).waitFor();
  assert.equal(new URL(page.url()).search, '?state=failed', 'the page that was asked for is lost');
  const stored = await page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
  );
  assert(!stored.includes('tl_'), 'the token is kept in the browser');
  const cookies = await context.cookies();
  assert(
    cookies.every(({ httpOnly, sameSite }) => httpOnly && sameSite === 'Lax'),
    JSON.stringify(cookies),
  );
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Deliveries' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Access token').waitFor();
  assert.equal(await page.evaluate(() => fetch('/v1/session').then(({ status }) => status)), 401);
  await page.goto(`${server}/portal/routes`);
  await page.getByLabel('Access token').waitFor();
  await leave('the door');
}

export async function ended() {
  const owner = await organisation('ended', 'Ended Ltd');
  const { token } = await api(owner, 'POST', '/v1/tokens', { name: 'short-lived' }).then(
    ({ token: { id }, secret }) => ({ token: { id, secret } }),
  );
  const { page, leave } = await visitor({ refused: [401] });
  await signIn(page, token.secret, '/routes');
  await settled(page);
  await api(owner, 'DELETE', `/v1/tokens/${token.id}`);
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await page.getByText('Your session has ended.').waitFor();
  await page.getByLabel('Access token').fill(owner);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Events' }).waitFor();
  await leave('a session that ended');
}

// What a member may not do, and the buttons for it.
const HIDDEN = [
  ['/', /Connect Slack|Connect GitHub|New route/],
  ['/routes', /New route/],
  ['/deliveries', /Replay failed/],
  ['/apps', /Install by address/],
  ['/webhooks', /New incoming webhook|New outgoing webhook/],
  ['/organisation/members', /Add a member|Remove/],
];

export async function restricted() {
  await organisation('restricted', 'Restricted Ltd');
  const { token } = await member('restricted', 'max', 'member');
  const { page, leave } = await visitor({ refused: [403] });
  await signIn(page, token);
  for (const [path, buttons] of HIDDEN) {
    await page.goto(`${server}/portal${path}`);
    await settled(page);
    const found = page.getByRole('button', { name: buttons }).or(page.getByRole('link', { name: buttons }));
    assert.equal(await found.count(), 0, `${path} offers ${buttons} to a member`);
  }
  const status = await page.evaluate(async () => {
    const { csrfToken } = await (await fetch('/v1/session')).json();
    const body = JSON.stringify({ types: ['a.*'], destination: { kind: 'webhook', url: 'https://example.com' } });
    const headers = { 'content-type': 'application/json', 'x-csrf-token': csrfToken };
    return (await fetch('/v1/routes', { method: 'POST', headers, body })).status;
  });
  assert.equal(status, 403);
  await page.goto(`${server}/portal/events`);
  await page.getByText('Not permitted').waitFor();
  await leave('a member');
}

export async function apart() {
  const [left, right] = [await organisation('left', 'Left Ltd'), await organisation('right', 'Right Ltd')];
  for (const [token, word] of [
    [left, 'lefthand'],
    [right, 'righthand'],
  ]) {
    const to = { kind: 'webhook', url: `https://${word}.example/hook`, name: `${word} target` };
    await api(token, 'POST', '/v1/routes', { name: `${word} route`, types: [`${word}.*`], destination: to });
  }
  const both = [await visitor({ refused: [404] }), await visitor({ refused: [404] })];
  await Promise.all([signIn(both[0].page, left, '/routes'), signIn(both[1].page, right, '/routes')]);
  await both[0].page.getByRole('link', { name: 'lefthand route' }).waitFor();
  await both[1].page.getByRole('link', { name: 'righthand route' }).waitFor();
  const foreign = new URL(
    await both[1].page.getByRole('link', { name: 'righthand route' }).getAttribute('href'),
    server,
  );
  await both[0].page.goto(foreign.href);
  await both[0].page.getByRole('alert').waitFor();
  for (const path of ['/', '/routes', '/deliveries', '/events', '/organisation/members']) {
    await both[0].page.goto(`${server}/portal${path}`);
    await settled(both[0].page);
    assert(!(await both[0].page.content()).includes('righthand'), `${path} shows another organisation's`);
  }
  // The same browser, first for one and then for the other: nothing of the first may be seen, not even for a moment.
  const { page } = both[0];
  await page.goto(`${server}/portal/routes`);
  await page.getByRole('link', { name: 'lefthand route' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.evaluate(() => {
    window.seen = false;
    new MutationObserver(() => {
      if (document.body.textContent.includes('lefthand')) window.seen = true;
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await page.getByLabel('Access token').fill(right);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: 'Routes', exact: true }).click();
  await page.getByRole('link', { name: 'righthand route' }).waitFor();
  assert.equal(await page.evaluate(() => window.seen), false, 'what the former session saw is shown to the next one');
  await both[0].leave('the left one');
  await both[1].leave('the right one');
}

/** A link made by the product's backend: one use, limited to pages, with its theme. */
export async function link() {
  const token = await organisation('linked', 'Linked Ltd');
  const made = await api(token, 'POST', '/v1/portal-sessions', {
    pages: ['home', 'deliveries'],
    theme: 'dark',
    returnUrl: `${server}/docs/`,
  });
  const { page, leave } = await visitor({ refused: [403, 404, 410, 400] });
  await page.goto(made.url);
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
  await settled(page);
  assert.equal(new URL(page.url()).search, '', 'the code is left in the address');
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
  const pages = await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allInnerTexts();
  assert.deepEqual(
    pages.map((name) => name.trim()),
    ['Home', 'Deliveries'],
  );
  await page.getByRole('link', { name: 'Back to the product' }).waitFor();
  await page.goto(`${server}/portal/routes`);
  await page.getByText('This session does not include the page.').waitFor();
  assert.equal(await page.evaluate(() => fetch('/v1/audit-log').then(({ status }) => status)), 403);
  await leave('a link');
  const second = await visitor({ refused: [400, 401, 403, 404, 410] });
  await second.page.goto(made.url);
  assert.deepEqual(await second.context.cookies(), [], 'a link opens twice');
  await second.leave('a link that was used');
}

/** The portal within another page: refused, until the organisation names its origin. */
export async function embedded() {
  const token = await organisation('embedded', 'Embedded Ltd');
  const far = await Far.start();
  const [{ id }] = (await api(token, 'GET', '/v1/organisations')).data;
  assert.equal(await framed(token, far), false, 'any page may embed the portal');
  await api(token, 'PUT', `/v1/organisations/${id}/frame-ancestors`, { origins: [far.base] });
  assert.equal(await framed(token, far), true, 'the origin that is allowed may not embed the portal');
  far.close();
}

/** Opens a link in a frame of another origin, and returns whether the portal is shown. */
async function framed(token, far) {
  const { url } = await api(token, 'POST', '/v1/portal-sessions', {});
  const frame = `<iframe title="Portal" width="900" height="600" src="${url}"></iframe>`;
  far.page = `<!doctype html><title>Product</title>${frame}`;
  const { page, context } = await visitor({ hosts: [far.base] });
  const refused = page
    .waitForEvent('requestfailed', {
      predicate: (request) => request.failure()?.errorText === 'net::ERR_BLOCKED_BY_RESPONSE',
    })
    .then(() => false);
  await page.goto(`${far.base}/product`);
  const shown = page
    .frameLocator('iframe')
    .getByRole('heading', { level: 1, name: 'Home' })
    .waitFor()
    .then(() => true);
  const result = await Promise.race([shown, refused]);
  // The other one ends with the page.
  shown.catch(() => undefined);
  refused.catch(() => undefined);
  await context.close();
  return result;
}
