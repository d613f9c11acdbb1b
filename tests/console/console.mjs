// A person with a browser: the landing page, every document in the console, each way to authorise, and in each dialect
// an operation that is tried out. No request may go to another host, and the page's policy may block nothing
// unforeseen.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { chromium } = createRequire(new URL('../../tools/openapi/package.json', import.meta.url))('playwright-core');

function setting(name) {
  const value = process.env[name];
  assert(value, `${name} is not set`);
  return value;
}

const server = setting('SERVER_URL');
const token = setting('TOKEN');
const organisation = setting('ORGANISATION');
const pictures = process.argv[2] ?? 'target/console';

async function api(path, body) {
  const answer = await fetch(server + path, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-workspace-id': organisation },
    body: body && JSON.stringify(body),
  });
  assert(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

const [{ id: organisationId }] = (await api('/v1/organisations')).data;
const [{ userId }] = (await api(`/v1/organisations/${organisationId}/members`)).data;

const bearer = { bearerAuth: token };
// Trials of each document: the operation, its input, and the caller's authentication.
const trials = [
  { document: 'tieline', operation: 'listTokens', as: bearer },
  { document: 'native', operation: 'createChannel', body: { name: 'from-the-console' }, status: 201, as: bearer },
  { document: 'native', operation: 'listOrganisations', as: bearer, picture: 'console.png' },
  { document: 'native', operation: 'listOrganisations', as: { bearerAuth: 'tl_wrong' }, status: 401 },
  { document: 'native', operation: 'checkReadiness', as: {} },
  { document: 'linkbreakers', operation: 'getSlackOAuthUrl', as: bearer },
  { document: 'boomerang', operation: 'listIntegrations', fill: { team: organisation }, as: bearer },
  { document: 'boomerang', operation: 'listIntegrations', fill: { team: organisation }, as: { accessToken: token } },
  { document: 'telex', operation: 'listOrganisationIntegrations', fill: { organisationId }, as: bearer },
  { document: 'rocketchat', operation: 'listWebhookIntegrations', as: bearer },
  { document: 'rocketchat', operation: 'listWebhookIntegrations', as: { authToken: token, userId } },
  { document: 'rocketchat', operation: 'listWebhookIntegrations', as: { authToken: 'tl_wrong', userId }, status: 401 },
  { document: 'botpress', operation: 'listBotIntegrations', fill: { 'x-workspace-id': organisationId }, as: bearer },
];

const browser = await chromium.launch({
  executablePath: setting('CHROMIUM'),
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    // A request to another host would not resolve.
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  ],
});

let requests = 0;
/** A fresh browser, which records loaded and blocked resources. */
async function visitor() {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, colorScheme: 'light' });
  const complaints = [];
  const failures = [];
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    requests += 1;
    if (origin !== server && !['data:', 'blob:'].includes(protocol)) complaints.push(`asks ${request.url()}`);
  });
  context.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  context.on('response', (response) => {
    if (response.status() >= 400) failures.push(`${response.status()} ${response.url()}`);
  });
  context.on('weberror', (error) => complaints.push(`throws ${error.error()}`));
  context.on('console', (message) => {
    // A trial may request an error; other errors are caught as a response.
    const refusal = message.text().startsWith('Failed to load resource');
    if (['error', 'warning'].includes(message.type()) && !refusal) complaints.push(`says ${message.text()}`);
  });
  await context.exposeBinding('blocked', (_, what) => complaints.push(`policy: ${what}`));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.blocked(`${event.violatedDirective} blocked ${event.blockedURI} of ${event.sourceFile}:${event.lineNumber} ${event.sample}`);
    });
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  /** Leaves; whatever was odd is told. */
  const leave = async (about, expected = []) => {
    // What leaving interrupts, such as the icon, is no complaint.
    const heard = [...complaints];
    await context.close();
    assert.deepEqual(heard, [], about);
    const odd = failures.filter((failure) => !expected.some((status) => failure.startsWith(`${status} ${server}/`)));
    assert.deepEqual(odd, [], about);
  };
  return { page, leave };
}

function policyOf(response) {
  const policy = response.headers()['content-security-policy'];
  assert(policy, `${response.url()} has no content-security-policy`);
  const directives = policy.split(';').map((one) => one.trim().split(/\s+/));
  return Object.fromEntries(directives.map(([name, ...sources]) => [name, sources]));
}

async function open(page, document) {
  const response = await page.goto(`${server}/docs/?urls.primaryName=${encodeURIComponent(document.name)}`);
  assert.equal(response.status(), 200);
  await shown(page, document);
  return response;
}

/** Waits until a document is on the page. */
async function shown(page, { info }) {
  await page.locator('.information-container .info .title', { hasText: new RegExp(`^${info.title}\\s`) }).waitFor();
  await page.locator('.opblock').first().waitFor();
}

/** The documents as the console offers them. */
async function offered(page) {
  await page.goto(`${server}/docs/`);
  await page.locator('.topbar select option').first().waitFor({ state: 'attached' });
  const options = await page.locator('.topbar select option').evaluateAll((all) => all.map((one) => ({ name: one.textContent, path: one.value })));
  return Promise.all(options.map(async (one) => ({ ...one, ...(await api(one.path)) })));
}

async function authorise(page, credentials) {
  if (Object.keys(credentials).length === 0) return;
  await page.locator('.auth-wrapper > .btn.authorize').click();
  for (const [scheme, value] of Object.entries(credentials)) {
    const box = page.locator('.modal-ux .auth-container').filter({ has: page.locator('h4 code', { hasText: new RegExp(`^${scheme}$`) }) });
    await box.locator('input').fill(value);
    await box.locator('button[type=submit]').click();
    await box.getByText('Logout').waitFor();
  }
  await page.locator('.modal-ux .btn-done').first().click();
}

/** Opens an operation, fills it in, presses Execute, and returns the status that the page shows. */
async function tryOut(page, { operation, fill = {}, body }) {
  const block = page.locator(`.opblock[id$="-${operation}"]`);
  await block.locator('.opblock-summary-control').click();
  for (const [name, value] of Object.entries(fill)) {
    await block.locator(`tr[data-param-name="${name}"] input`).fill(value);
  }
  if (body) await block.locator('textarea.body-param__text').fill(JSON.stringify(body, null, 2));
  await block.locator('button.execute').click();
  const status = block.locator('.live-responses-table .response-col_status').nth(1);
  const text = await status.innerText();
  await page.locator('.loading-container').waitFor({ state: 'detached' });
  return { block, status: Number.parseInt(text, 10) };
}

try {
  // The landing page leads everywhere.
  let { page, leave } = await visitor();
  const landing = await page.goto(`${server}/`);
  assert.deepEqual(policyOf(landing)['default-src'], ["'none'"]);
  assert.equal(policyOf(landing)['script-src'], undefined, 'the landing page has no scripts');
  assert.equal(await page.locator('h1').innerText(), 'Tieline');
  await page.screenshot({ path: join(pictures, 'landing.png'), fullPage: true });
  const links = await page.locator('a').evaluateAll((all) => all.map((link) => link.href));
  for (const link of links.filter((link) => new URL(link).origin === server)) {
    assert((await fetch(link)).ok, `${link} leads nowhere`);
  }
  await page.getByRole('link', { name: 'console' }).click();
  await page.locator('.information-container .info .title').waitFor();
  await leave('the landing page');

  // The console opens the native document, and asks for a token first; operators have one of their own.
  ({ page, leave } = await visitor());
  const bundle = page.waitForResponse((response) => response.url().endsWith('/swagger-ui-bundle.js'));
  await page.goto(`${server}/docs/`);
  await shown(page, { info: { title: 'Tieline: Native' } });
  assert.equal((await bundle).headers()['content-encoding'], 'gzip');
  await page.locator('.auth-wrapper > .btn.authorize').click();
  await page.locator('.modal-ux .auth-container').first().waitFor();
  assert.deepEqual(await page.locator('.modal-ux .auth-container h4 code').allInnerTexts(), ['bearerAuth', 'operatorAuth']);
  await page.locator('.modal-ux .btn-done').first().click();
  await page.locator('.opblock[id$="-listTokens"] .authorization__btn').click();
  await page.locator('.modal-ux .auth-container').first().waitFor();
  assert.deepEqual(await page.locator('.modal-ux .auth-container h4 code').allInnerTexts(), ['bearerAuth']);
  await leave('the first document');

  // Every document that is published is offered, and is shown whole.
  ({ page, leave } = await visitor());
  const documents = await offered(page);
  const published = ['tieline', ...new Set(trials.map(({ document }) => document))];
  assert.deepEqual(documents.map(({ path }) => path).sort(), [...new Set(published)].map((name) => `/openapi/${name}.json`).sort());
  for (const document of documents) {
    const policy = policyOf(await open(page, document));
    assert.deepEqual(policy['script-src'], ["'self'"], 'scripts are files of ours');
    const methods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'];
    const items = [...Object.values(document.paths), ...Object.values(document.webhooks ?? {})];
    const operations = items.flatMap((path) => methods.filter((method) => path[method]).map((method) => path[method].operationId));
    const blocks = await page.locator('.opblock').evaluateAll((all) => all.map((block) => block.id.replace(/^.*-/, '')));
    assert.deepEqual(blocks.sort(), operations.sort(), document.path);
    assert.equal(await page.locator('.errors-wrapper').count(), 0, `${document.path} has errors`);
  }
  // Choosing in the list does the same.
  for (const document of documents.toReversed()) {
    await page.locator('.topbar select').selectOption(document.path);
    await shown(page, document);
  }
  await leave('the documents');

  for (const trial of trials) {
    const { document, operation, as, status: expected = 200 } = trial;
    const about = `${operation} of ${document} with ${Object.keys(as).join(' and ') || 'nothing'}`;
    ({ page, leave } = await visitor());
    await open(page, documents.find(({ path }) => path === `/openapi/${document}.json`));
    await authorise(page, as);
    const sent = page.waitForRequest((request) => request.resourceType() === 'fetch' && !request.url().includes('/openapi'));
    const { block, status } = await tryOut(page, trial);
    assert.equal(status, expected, about);
    const headers = (await sent).headers();
    const shows = { authorization: as.bearerAuth && `Bearer ${as.bearerAuth}`, 'x-access-token': as.accessToken, 'x-auth-token': as.authToken, 'x-user-id': as.userId };
    for (const [name, value] of Object.entries(shows)) assert.equal(headers[name], value, `${about}: ${name}`);
    if (trial.picture) {
      await page.setViewportSize({ width: 1200, height: 960 });
      await block.evaluate((element) => element.scrollIntoView());
      await page.screenshot({ path: join(pictures, trial.picture) });
    }
    await leave(about, [expected]);
    console.log(`console: ${about}: ${status}`);
  }
  console.log(`console: ${documents.length} documents, ${requests} requests, all of them to ${server}`);
} finally {
  await browser.close();
}
