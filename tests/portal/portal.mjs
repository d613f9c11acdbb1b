// Everything that a person does in the portal, one part after the other:
//
//   node portal.mjs PICTURES [PART...]
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { browser, setting } from './browser.mjs';

const [pictures, ...only] = process.argv.slice(2);
const wanted = (name) => only.length === 0 || only.includes(name);
await mkdir(pictures, { recursive: true });

const world = {
  token: setting('TOKEN'),
  picture: (page, name) => page.screenshot({ path: join(pictures, `portal-${name}.png`), fullPage: false }),
};

const parts = {
  story: async () => (await import('./story.mjs')).story(world),
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
