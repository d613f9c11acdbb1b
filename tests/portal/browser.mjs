// A headless Chromium whose visitors notice what must not happen: a request to another host, a script that throws, a
// blocked resource, a text that runs.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

export function setting(name) {
  const value = process.env[name];
  assert(value, `${name} is not set`);
  return value;
}

export const server = setting('SERVER_URL');
export const standin = setting('STANDIN_URL');
const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const browser = await chromium.launch({
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
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
  ],
});

/** Calls the API as the holder of a token. */
export async function api(token, method, path, body) {
  const response = await fetch(server + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  assert(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

/** Tells the stand-in to do something. */
export async function control(path, body) {
  const response = await fetch(`${standin}/control${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  assert(response.ok, `${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

/** A fresh browser profile. `refused` are the statuses that its pages may meet. */
export async function visitor({ width = 1280, height = 900, theme = 'light', refused = [], hosts: more = [] } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: 'reduce',
  });
  const complaints = [];
  const hosts = new Set([server, standin, standin.replace('127.0.0.1', 'localhost'), ...more]);
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (!hosts.has(origin) && !['data:', 'blob:'].includes(protocol)) complaints.push(`asks ${request.url()}`);
  });
  context.on('response', (response) => {
    const status = response.status();
    const known = refused.includes(status) || (status === 401 && response.url().endsWith('/v1/session'));
    if (status >= 400 && !known) complaints.push(`${status} ${response.url()}`);
  });
  context.on('weberror', (error) => complaints.push(`throws ${error.error()}`));
  context.on('dialog', (dialog) => complaints.push(`opens a dialog: ${dialog.message()}`));
  context.on('console', (message) => {
    const network = message.text().startsWith('Failed to load resource');
    if (['error', 'warning'].includes(message.type()) && !network) complaints.push(`says ${message.text()}`);
  });
  await context.exposeBinding('blocked', (_, what) => complaints.push(`policy: ${what}`));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.blocked(
        `${event.violatedDirective} blocked ${event.blockedURI} of ${event.sourceFile}:${event.lineNumber}`,
      );
    });
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const leave = async (about) => {
    await context.close();
    assert.deepEqual(complaints, [], about);
  };
  return { context, page, leave, complaints };
}

/** Signs in by a token. */
export async function signIn(page, token, path = '/') {
  await page.goto(`${server}/portal${path}`);
  await page.getByLabel('Access token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages' }).waitFor({ state: 'attached' });
}

/** Waits until nothing on the page is still loading. */
export async function settled(page) {
  await page.locator('h1').first().waitFor();
  await page.waitForFunction(() => document.querySelector('.skeleton') === null);
}

/** Returns what axe-core finds, a line each. */
export async function findings(page) {
  // The policy permits no inline script; the evaluation of the driver is not subject to it.
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, {
      resultTypes: ['violations'],
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) =>
        `${id}: ${help}: ${target.join(' ')} ${failureSummary.split('\n').slice(1, 3).join(' ')}`,
    ),
  );
}

/** Returns true where the page is wider than the screen. */
export function overflows(page) {
  return page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth + 1);
}

/** A checker that cannot fail is none: each has to notice a fault that is made for it. */
export async function selfTest() {
  const { page, context, complaints } = await visitor();
  await page.goto(`${server}/portal/`);
  await page.getByLabel('Access token').waitFor();
  assert.deepEqual(await findings(page), []);
  assert.equal(await overflows(page), false);
  await page.evaluate(() => {
    const wide = document.createElement('div');
    wide.style.width = '3000px';
    wide.innerHTML = '<img src="/favicon.svg"><button></button>';
    document.body.append(wide);
  });
  assert((await findings(page)).length >= 2, 'axe-core finds nothing');
  assert.equal(await overflows(page), true, 'a page that is too wide is not noticed');
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.ran = 1';
    document.body.append(script);
    const image = document.createElement('img');
    image.src = 'http://127.0.0.1:9/x.png';
    document.body.append(image);
    return fetch('/v1/nothing');
  });
  assert.equal(await page.evaluate(() => window.ran), undefined, 'an inline script runs');
  for (const wanted of [/policy: script-src/, /policy: img-src/, /404 .*nothing/]) {
    assert(
      complaints.some((complaint) => wanted.test(complaint)),
      `${wanted} is not noticed: ${complaints.join('; ')}`,
    );
  }
  await context.close();
}

/**
 * Tells the first paint of the portal, by a browser that has nothing of it yet: the best of five. The aim is 300 ms; a
 * busy machine fails nothing.
 */
export async function firstPaint() {
  const times = [];
  for (let turn = 0; turn < 5; turn += 1) {
    const { page, context } = await visitor();
    await page.goto(`${server}/portal/`);
    await page.getByLabel('Access token').waitFor();
    times.push(
      await page.evaluate(
        () =>
          new Promise((resolve) => {
            const observer = new PerformanceObserver((list) => {
              const [paint] = list.getEntriesByName('first-contentful-paint');
              if (paint) resolve(paint.startTime);
            });
            observer.observe({ type: 'paint', buffered: true });
          }),
      ),
    );
    await context.close();
  }
  const best = Math.min(...times);
  console.log(`portal-test: first contentful paint after ${Math.round(best)} ms (aim: below 300)`);
}
