// Tests a receiver of webhooks against Tieline's requests: `node drive.mjs COMMAND...` starts the receiver with
// WEBHOOK_SECRET and PORT, has Tieline call it, and then sends it forged requests.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';

const command = process.argv.slice(2);
const [tieline, token, organisation] = ['SERVER_URL', 'TOKEN', 'ORGANISATION'].map((name) => {
  assert(process.env[name], `${name} is not set`);
  return process.env[name];
});

async function api(method, path, body) {
  const answer = await fetch(tieline + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-workspace-id': organisation },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  assert(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

async function until(what, look) {
  const end = Date.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert(Date.now() < end, `${what} did not come about`);
    await new Promise((resume) => setTimeout(resume, 50));
  }
}

async function listening(server) {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server.address().port;
}

const spare = createServer();
const port = await listening(spare);
spare.close();

async function send({ headers, body }) {
  const kept = ['content-type', 'webhook-id', 'webhook-timestamp', 'webhook-signature'].filter((name) => headers[name] !== undefined);
  const answer = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers: Object.fromEntries(kept.map((name) => [name, headers[name]])),
    body,
  });
  return answer.status;
}

// Tieline calls this process, which forwards the request byte for byte.
const calls = [];
const between = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const call = { headers: request.headers, body: Buffer.concat(chunks) };
  call.status = await send(call);
  calls.push(call);
  response.writeHead(call.status).end();
});
const url = `http://127.0.0.1:${await listening(between)}/`;

let receiver;
let said = '';
async function start(secret) {
  if (receiver) {
    receiver.kill();
    await once(receiver, 'exit');
  }
  said = '';
  const started = spawn(command[0], command.slice(1), {
    env: { ...process.env, WEBHOOK_SECRET: secret, PORT: String(port) },
    stdio: ['ignore', 'pipe', process.env.VERBOSE ? 'inherit' : 'ignore'],
  });
  receiver = started;
  started.stdout.on('data', (text) => (said += text));
  await until('the receiver', () => {
    assert.equal(started.exitCode, null, 'the receiver has stopped');
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.end(() => resolve(true)));
      socket.on('error', () => resolve(false));
    });
  });
}

try {
  await api('POST', '/v1/admin/integrations', { name: 'receiver', version: '1.0.0', url });
  const { id } = await api('POST', '/v1/apps', { registryVersion: { name: 'receiver' } });
  const channel = (await api('POST', '/v1/channels', { name: 'webhooks' })).id;
  await api('PUT', `/v1/channels/${channel}/apps/${id}`, {});
  const signing = `/v1/apps/${id}/signing-secret`;
  const { secret } = await api('GET', signing);

  /** Says something in the channel, and tells the delivery to the receiver when it has ended. */
  const say = async (message) => {
    const before = calls.length;
    await api('POST', '/v1/events', { type: 'message.posted', channelId: channel, data: { message } });
    const call = await until(`the call for ${message}`, () => calls[before]);
    return { call, delivery: await ended(call) };
  };
  const deliveryOf = (call) => call.headers['webhook-id'].replace(/^msg_(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const ended = (call) => until('the end of the delivery', async () => {
    const delivery = await api('GET', `/v1/deliveries/${deliveryOf(call)}`);
    return delivery.state !== 'pending' && delivery;
  });

  // Tieline's requests are accepted, once.
  await start(secret);
  const { call, delivery } = await say('hello 世界');
  assert.deepEqual([call.status, delivery.state], [204, 'delivered']);
  await until('the message', () => said === 'hello 世界\n');
  assert.equal(await send(call), 204, 'a repetition');
  await api('POST', `/v1/deliveries/${delivery.id}/replay`);
  const again = await until('the replay', () => calls[1]);
  assert.equal(again.headers['webhook-id'], call.headers['webhook-id'], 'a replay keeps the id');
  assert.deepEqual([again.status, (await ended(again)).state], [204, 'delivered']);

  // Forged requests are refused.
  const sign = (age) => {
    const timestamp = String(Math.floor(Date.now() / 1000) - age);
    const fresh = `msg_${age}`;
    const hmac = createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64'));
    const signature = hmac.update(`${fresh}.${timestamp}.`).update(call.body).digest('base64');
    return { headers: { ...call.headers, 'webhook-id': fresh, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }, body: call.body };
  };
  const changed = (name, value) => ({ headers: { ...call.headers, [name]: value }, body: call.body });
  const forgeries = {
    'another body': { headers: call.headers, body: Buffer.from(String(call.body).replace('hello', 'HELLO')) },
    'one byte more': { headers: call.headers, body: Buffer.concat([call.body, Buffer.from('\n')]) },
    'another id': changed('webhook-id', 'msg_00000000000000000000000000000000'),
    'another time': changed('webhook-timestamp', String(Number(call.headers['webhook-timestamp']) + 1)),
    'another version': changed('webhook-signature', call.headers['webhook-signature'].replace('v1,', 'v2,')),
    'no comma': changed('webhook-signature', 'v1'),
    'no base64': changed('webhook-signature', 'v1,?'),
    'no signature': changed('webhook-signature', undefined),
    'no id': changed('webhook-id', undefined),
    'no time': changed('webhook-timestamp', undefined),
    'six minutes old': sign(360),
    'six minutes early': sign(-360),
  };
  for (const [what, forgery] of Object.entries(forgeries)) assert.equal(await send(forgery), 401, what);
  assert.equal(said, 'hello 世界\n', 'it was told once');
  assert.equal(await send(sign(240)), 204, 'four minutes old');

  // During a rotation, receivers with the former and with the new secret both verify.
  const { secret: replaced } = await api('POST', `${signing}/rotate`, {});
  const former = await say('by the former secret');
  assert.equal(former.call.headers['webhook-signature'].split(' ').length, 2);
  assert.equal(former.delivery.state, 'delivered');
  await start(replaced);
  assert.equal((await say('by the new secret')).delivery.state, 'delivered');

  // A receiver with neither refuses; the delivery shows it, and is retried once that is fixed.
  await start('whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=');
  const refused = await say('by neither');
  assert.deepEqual([refused.call.status, refused.delivery.state], [401, 'failed']);
  await start(replaced);
  await api('POST', `/v1/deliveries/${refused.delivery.id}/replay`);
  assert.equal((await ended(refused.call)).state, 'delivered');
  await until('the message', () => said === 'by neither\n');
  console.log(`verify-webhooks: ${command.at(-1)}: what Tieline sends is taken, and nothing else`);
} finally {
  receiver?.kill();
  between.close();
  between.closeAllConnections();
}
