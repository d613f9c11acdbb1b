// A receiver of webhooks by the packed package: it knows the secret that was replaced, and another one.
import { createServer } from 'node:http';

import { verifyWebhook, WebhookRefused } from 'tieline-client/webhooks';

const secrets = ['whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3', process.env.WEBHOOK_SECRET];
const seen = new Set();

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  try {
    const id = verifyWebhook(secrets, request.headers, body);
    if (!seen.has(id)) console.log(JSON.parse(body.toString()).message);
    seen.add(id);
    response.writeHead(204).end();
  } catch (error) {
    if (!(error instanceof WebhookRefused)) throw error;
    response.writeHead(401).end();
  }
});
server.listen(Number(process.env.PORT), '127.0.0.1');
