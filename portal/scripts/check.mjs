// Checks of the portal: types, lint, that what was made is what its sources give, and the budget.
//
//   npm run check
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

const BUDGET = 70_000;
const MAX_LINES = 400;
// The one catalogue of texts may be longer.
const LONG = new Set(['src/strings.ts', 'src/api/schema.d.ts']);

const faults = [];
const scratch = mkdtempSync(join(tmpdir(), 'portal-check-'));

function run(tool, ...args) {
  try {
    execFileSync(join('node_modules', '.bin', tool), args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    faults.push(`${tool}: ${error.stdout ?? ''}${error.stderr ?? ''}`);
  }
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

function compareTypes() {
  const fresh = join(scratch, 'schema.d.ts');
  run('openapi-typescript', '../openapi/native.json', '--output', fresh);
  if (!readFileSync(fresh).equals(readFileSync('src/api/schema.d.ts'))) {
    faults.push('src/api/schema.d.ts is not what openapi/native.json gives: npm run types');
  }
}

function compareBuild() {
  const fresh = join(scratch, 'dist');
  run('vite', 'build', '--logLevel', 'error', '--outDir', fresh, '--emptyOutDir');
  const [built, committed] = [filesIn(fresh), filesIn('dist')];
  const same =
    built.join() === committed.join() &&
    built.every((file) => readFileSync(join(fresh, file)).equals(readFileSync(join('dist', file))));
  if (!same) faults.push('dist is not what the sources give: npm run build');
}

function weigh() {
  const scripts = filesIn('dist').filter((file) => file.endsWith('.js'));
  const size = scripts.reduce((sum, file) => sum + gzipSync(readFileSync(join('dist', file)), { level: 9 }).length, 0);
  console.log(`script: ${size.toLocaleString('en')} of ${BUDGET.toLocaleString('en')} bytes, gzipped`);
  if (size === 0 || size > BUDGET) faults.push(`the script has ${size} bytes gzipped; the budget is ${BUDGET}`);
}

/** The policy permits neither script nor style in the document. */
function demandNoInline() {
  const document = readFileSync('dist/index.html', 'utf8');
  const inline = /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/i.exec(document);
  if (inline) faults.push(`dist/index.html has something inline: ${inline[0]}`);
}

function measureLines() {
  for (const file of filesIn('src').map((name) => join('src', name))) {
    const lines = readFileSync(file, 'utf8').split('\n').length - 1;
    if (lines > MAX_LINES && !LONG.has(file) && !file.endsWith('.css')) faults.push(`${file} has ${lines} lines`);
  }
}

run('tsc');
run('biome', 'check', '--error-on-warnings', '.');
compareTypes();
compareBuild();
weigh();
demandNoInline();
measureLines();
rmSync(scratch, { recursive: true });
for (const fault of faults) console.error(`portal-check: ${fault}`);
process.exit(faults.length > 0 ? 1 : 0);
