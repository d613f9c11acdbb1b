// TypeScript clients of every document, into target/sdk/typescript. Run in the project's folder.
import { readdirSync } from 'node:fs';

export default readdirSync('openapi')
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({
    input: `./openapi/${name}`,
    output: { path: `target/sdk/typescript/${name.replace('.json', '')}` },
    plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
    logs: { level: 'silent' },
  }));
