// Organisations of their own for each part, apps that answer, and events in numbers.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { api, server } from './browser.mjs';

const run = promisify(execFile);
const tieline = `${process.env.CARGO_TARGET_DIR ?? 'target'}/debug/tieline`;

/** Runs the command line of the server, which prints a line of JSON. */
async function command(...args) {
  const { stdout } = await run(tieline, args);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

/** Makes an organisation with an owner, and returns the owner's token. */
export async function organisation(slug, name) {
  await command('org', 'create', slug, '--name', name);
  return (await member(slug, 'ada', 'owner')).token;
}

/** Makes a member of an organisation with a token. */
export function member(slug, user, role) {
  return command(
    'token',
    'create',
    '--org',
    slug,
    '--user',
    user,
    '--role',
    role,
    '--email',
    `${user}@${slug}.example`,
  );
}

/** Makes a token of an operator. */
export async function operator(name) {
  return (await command('token', 'create', '--operator', '--name', name, '--expires', '1d')).token;
}

/** A server on loopback: an app with its descriptor, and the target of calls. */
export class Far {
  calls = [];

  static async start() {
    const far = new Far();
    far.server = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString();
      if (request.url === '/product') {
        response.setHeader('content-type', 'text/html');
        response.end(far.page);
        return;
      }
      const descriptor = /^\/(\w+)\.json$/.exec(request.url);
      if (!descriptor) far.calls.push({ url: request.url, body });
      response.setHeader('content-type', 'application/json');
      response.end(descriptor ? far.descriptor(descriptor[1]) : '{}');
    }).listen(0, '127.0.0.1');
    await once(far.server, 'listening');
    far.base = `http://127.0.0.1:${far.server.address().port}`;
    return far;
  }

  /** The descriptor of an app by this name; that of `broken` lacks what it needs. */
  descriptor(name) {
    if (name === 'broken')
      return JSON.stringify({ data: { descriptions: {}, settings: 'none', integration_type: 'modifier' } });
    return JSON.stringify({
      data: {
        date: { created_at: '2026-11-18', updated_at: '2026-11-18' },
        descriptions: {
          app_name: this.names?.[name] ?? name,
          app_description: this.texts?.[name] ?? `Puts ${name} into every message.`,
          app_url: this.base,
          app_logo: `${this.base}/logo.png`,
          background_color: '#ffffff',
        },
        is_active: true,
        integration_type: 'modifier',
        integration_category: 'Task Automation',
        settings: [
          {
            label: 'greeting',
            type: 'text',
            required: true,
            default: 'Hello',
            description: 'Put in front of each message.',
          },
          { label: 'tone', type: 'dropdown', required: false, default: 'calm', options: ['calm', 'loud'] },
          { label: 'length', type: 'number', required: false, default: '80' },
          { label: 'emoji', type: 'checkbox', required: false, default: 'true' },
        ],
        is_oauth: name === 'calendar',
        auth_initiate_url: `${this.base}/connect`,
        target_url: `${this.base}/target`,
        tick_url: `${this.base}/tick`,
      },
    });
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** Accepts many events, a hundred a request. */
export async function acceptEvents(token, count, make) {
  for (let from = 0; from < count; from += 100) {
    const events = Array.from({ length: Math.min(100, count - from) }, (_, at) => make(from + at));
    const { events: accepted } = await api(token, 'POST', '/v1/events/batch', { events });
    assert.equal(accepted.length, events.length);
  }
}

/** Asks again until the answer is as it has to be; the server says when it is. */
export async function eventually(ask, what) {
  const end = Date.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    assert(Date.now() < end, `did not happen within a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const ICON = [
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" fill="#7a4dd8"/>',
  '<path d="M8 16h16M16 8v16" stroke="#fff" stroke-width="3"/></svg>',
].join('');

/** Publishes a version in the registry, which every organisation finds in its catalogue. */
export async function publish(token, slug, name, title, description) {
  const [{ id }] = (await api(token, 'GET', '/v1/organisations')).data;
  const encoded = (text) => Buffer.from(text).toString('base64');
  const response = await fetch(`${server}/v1/admin/integrations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-workspace-id': id },
    body: JSON.stringify({
      name: `${slug}/${name}`,
      version: '1.2.0',
      title,
      description,
      url: 'https://apps.example.com/hook',
      configuration: { schema: { type: 'object', properties: { room: { type: 'string' } } } },
      visibility: 'public',
      icon: encoded(ICON),
      readme: encoded(`# ${title}`),
    }),
  });
  assert(response.ok, `publish: ${response.status} ${await response.text()}`);
}

/** Fills an organisation with one of everything, for a look at each page. */
export async function furnish(token, slug, far) {
  await publish(token, slug, 'teams', 'Teams', 'Posts messages to the rooms of Teams.');
  await publish(token, slug, 'pager', 'Pager', 'Wakes somebody up when it has to.');
  const make = (path, body) => api(token, 'POST', path, body);
  const general = await make('/v1/channels', { name: 'general' });
  await make('/v1/channels', { name: 'support', private: true });
  const apps = [];
  for (const name of ['Greeter', 'Translator']) {
    const app = await make('/v1/apps', { descriptorUrl: `${far.base}/${name}.json` });
    await api(token, 'PUT', `/v1/channels/${general.id}/apps/${app.id}`, { active: true });
    apps.push(app);
  }
  const incoming = await make('/v1/incoming-webhooks', { name: 'Build server', channels: ['#general'] });
  const script = 'class Script {\n  prepare_outgoing_request({ request }) {\n    return request;\n  }\n}';
  const outgoing = await make('/v1/outgoing-webhooks', {
    name: 'Answers',
    event: 'sendMessage',
    urls: [`${far.base}/answers`],
    scriptEnabled: false,
    script,
  });
  const url = `${far.base}/hook`;
  const route = await make('/v1/routes', {
    name: 'Invoices to billing',
    types: ['invoice.*'],
    condition: 'data.total > 10',
    destination: { kind: 'webhook', name: 'Billing', url },
  });
  await make('/v1/routes', { types: ['user.*'], sources: ['api'], destinationId: route.destinationId, enabled: false });
  const event = await make('/v1/events', {
    type: 'invoice.paid',
    attributes: { region: 'eu' },
    data: { number: 12, total: 120, customer: 'Grace Hopper' },
  });
  await make('/v1/events', { type: 'invoice.paid', data: { number: 13, total: 5 } });
  const list = () => api(token, 'GET', `/v1/deliveries?eventId=${event.id}`);
  const delivery = await eventually(
    async () => (await list()).data.find(({ state }) => state === 'delivered'),
    'a delivery',
  );
  return { general, apps, incoming, outgoing, route, event, delivery };
}
