// Everything that a person does in the portal, one part after the other:
//
//   node portal.mjs PICTURES [PART...]
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { browser, firstPaint, selfTest, setting } from './browser.mjs';

const [pictures, ...only] = process.argv.slice(2);
const wanted = (name) => only.length === 0 || only.includes(name);
await mkdir(pictures, { recursive: true });

const world = {
  token: setting('TOKEN'),
  async picture(page, name) {
    // What has just been said would hide a corner of the page.
    for (const toast of await page.locator('.toast button').all()) await toast.click();
    await page.screenshot({ path: join(pictures, `portal-${name}.png`) });
  },
};

const parts = {
  checks: selfTest,
  paint: firstPaint,
  story: async () => (await import('./story.mjs')).story(world),
  door: async () => (await import('./sessions.mjs')).door(),
  ended: async () => (await import('./sessions.mjs')).ended(),
  restricted: async () => (await import('./sessions.mjs')).restricted(),
  apart: async () => (await import('./sessions.mjs')).apart(),
  link: async () => (await import('./sessions.mjs')).link(),
  embedded: async () => (await import('./sessions.mjs')).embedded(),
  apps: async () => (await import('./apps.mjs')).apps(),
  people: async () => (await import('./organisation.mjs')).people(),
  keyboard: async () => (await import('./keyboard.mjs')).keyboard(),
  hostile: async () => (await import('./hostile.mjs')).hostile(),
  operators: async () => (await import('./operators.mjs')).operators(world),
  sweep: async () => (await import('./sweep.mjs')).sweep(world),
  polling: async () => (await import('./volume.mjs')).polling(),
  volume: async () => (await import('./volume.mjs')).volume(),
};

try {
  for (const [name, run] of Object.entries(parts)) {
    if (!wanted(name)) continue;
    const begun = Date.now();
    try {
      await run();
    } catch (error) {
      const [page] = browser.contexts().at(-1)?.pages() ?? [];
      await page?.screenshot({ path: join(pictures, `failed-${name}.png`), fullPage: true }).catch(() => undefined);
      error.message = `${name}: ${error.message}`;
      throw error;
    }
    console.log(`portal-test: ${name}, ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  }
} finally {
  await browser.close();
}
