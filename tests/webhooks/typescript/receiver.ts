import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.WEBHOOK_SECRET ?? '');
const seen = new Set<string>(); // a table with a unique column, where it has to outlive the process

const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  try {
    webhook.verify(body, request.headers as Record<string, string>);
  } catch {
    response.writeHead(401).end();
    return;
  }
  const id = String(request.headers['webhook-id']);
  if (!seen.has(id)) {
    const { message } = JSON.parse(body.toString()) as { message: string };
    console.log(message);
    seen.add(id);
  }
  response.writeHead(204).end();
});
server.listen(Number(process.env.PORT), '127.0.0.1');
