// TypeScript clients of every document, into target/sdk/typescript. Run in the project's folder.
import { readdirSync } from 'node:fs';

export default readdirSync('openapi')
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({
    input: `./openapi/${name}`,
    // With the extension Node finds the files that a compiler makes of them, too.
    output: { path: `target/sdk/typescript/${name.replace('.json', '')}`, module: { extension: '.js' } },
    plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
    logs: { level: 'silent' },
  }));
