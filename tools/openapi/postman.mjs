// Converts every published document as Postman's importer does, within a bound of time and memory, and holds the
// collection to a budget: node tools/openapi/postman.mjs
//
// An importer makes an example of each body, with as many entries of a map as there may be. A document that is small may
// so become a collection that nobody can open.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const MOST_SECONDS = 60;
const MOST_HEAP_MIB = 256;
// Everything in one document is more than any dialect.
const MOST_KIB = { 'tieline.json': 12 * 1024, other: 6 * 1024 };
const self = fileURLToPath(import.meta.url);

/** Size of the collection that is made of a document: by the same examples each time. */
async function convert(path) {
  let state = 1;
  Math.random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const { convertV2 } = createRequire(import.meta.url)('openapi-to-postmanv2');
  const input = { type: 'string', data: readFileSync(path, 'utf8') };
  const result = await promisify(convertV2)(input, {});
  if (!result.result) throw new Error(result.reason);
  return Buffer.byteLength(JSON.stringify(result.output[0].data));
}

/** What is wrong with a document, if anything, and the size of its collection. */
async function judge(path) {
  const limits = { timeout: MOST_SECONDS * 1000, killSignal: 'SIGKILL' };
  try {
    const child = await promisify(execFile)(process.execPath, [`--max-old-space-size=${MOST_HEAP_MIB}`, self, path], limits);
    const kib = Math.ceil(Number(child.stdout) / 1024);
    const most = MOST_KIB[basename(path)] ?? MOST_KIB.other;
    return { kib, fault: kib > most ? `makes a collection of ${kib} KiB, and may make one of ${most}` : undefined };
  } catch (error) {
    const why = error.killed || error.signal ? `takes more than ${MOST_SECONDS} s or ${MOST_HEAP_MIB} MiB` : String(error.stderr).trim();
    return { fault: `cannot be converted: it ${why}` };
  }
}

/** A document whose maps may have a thousand entries, each with such a map. */
function enormous() {
  const map = (additionalProperties) => ({ type: 'object', maxProperties: 1000, additionalProperties });
  const document = JSON.parse(readFileSync('openapi/linkbreakers.json', 'utf8'));
  const named = document.components.schemas.UpdateSlackIntegrationRequest;
  named.properties.maps = map(map({ type: 'string' }));
  delete named.example;
  return document;
}

const [given] = process.argv.slice(2);
if (given) {
  process.stdout.write(String(await convert(given)));
} else {
  const faults = [];
  for (const name of readdirSync('openapi').filter((name) => name.endsWith('.json'))) {
    const { kib, fault } = await judge(join('openapi', name));
    if (fault) faults.push(`${name} ${fault}`);
    else console.log(`postman: ${name} makes a collection of ${kib} KiB`);
  }
  const folder = mkdtempSync(join(tmpdir(), 'postman-'));
  writeFileSync(join(folder, 'enormous.json'), JSON.stringify(enormous()));
  if (!(await judge(join(folder, 'enormous.json'))).fault) faults.push('enormous.json was let through, which it must not be');
  rmSync(folder, { recursive: true });
  faults.forEach((fault) => console.error(`postman: ${fault}`));
  process.exitCode = faults.length > 0 ? 1 : 0;
}
