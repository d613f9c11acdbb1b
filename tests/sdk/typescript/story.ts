// Scenario of an organisation that connects Slack and sends an event, with the generated TypeScript clients.
import assert from 'node:assert/strict';

import { completeSlackOAuth, getSlackIntegration, getSlackOAuthUrl, updateSlackIntegration } from '../../../target/sdk/typescript/linkbreakers';
import { createClient } from '../../../target/sdk/typescript/linkbreakers/client';
import { getDelivery, listDeliveries, sendEvent } from '../../../target/sdk/typescript/native';
import { createClient as createNativeClient } from '../../../target/sdk/typescript/native/client';

function setting(name: string): string {
  const value = process.env[name];
  assert(value, `${name} is not set`);
  return value;
}

const baseUrl = setting('SERVER_URL');
const token = setting('TOKEN');
const slack = createClient({ baseUrl, auth: token });
const native = createNativeClient({ baseUrl, auth: token });

// A request without a valid token is refused in the dialect's own type.
const stranger = await getSlackIntegration({ client: createClient({ baseUrl, auth: 'wrong' }) });
assert.equal(stranger.response?.status, 401);
assert.equal(stranger.error?.error.codeType, 'UNAUTHENTICATED');

// Allow is pressed in the stand-in's Slack.
const asked = await getSlackOAuthUrl({ client: slack, throwOnError: true });
const url = new URL(asked.data.oauthUrl);
const order = Object.fromEntries(['client_id', 'redirect_uri', 'state', 'scope'].map((name) => [name, url.searchParams.get(name)]));
const allowed = await fetch(`${setting('STANDIN_URL')}/control/slack/authorize`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ ...order, team: 'T0STANDIN' }),
});
const { code } = (await allowed.json()) as { code: string };
await completeSlackOAuth({ client: slack, body: { code, state: url.searchParams.get('state') ?? '' }, throwOnError: true });
const chosen = await updateSlackIntegration({ client: slack, body: { slackChannelId: 'C0ALERTS' }, throwOnError: true });
assert.equal(chosen.data.slackIntegration?.slackChannelId, 'C0ALERTS');

// An event is delivered.
const accepted = await sendEvent({
  client: native,
  body: {
    type: 'workflow.step.completed',
    attributes: { linkId: '0199c1de-0000-7000-8000-000000000001', stepKind: 'KIND_INTERACTION' },
    data: { name: 'Ada' },
  },
  throwOnError: true,
});
const until = Date.now() + 20_000;
for (;;) {
  const page = await listDeliveries({ client: native, throwOnError: true });
  const delivery = page.data.data.find((one) => one.eventId === accepted.data.id);
  if (delivery?.state === 'delivered') {
    const detail = await getDelivery({ client: native, path: { id: delivery.id }, throwOnError: true });
    assert.equal(detail.data.eventId, accepted.data.id);
    break;
  }
  assert(Date.now() < until, `the event was not delivered: ${JSON.stringify(page.data.data)}`);
  await new Promise((resume) => setTimeout(resume, 50));
}

// Errors are values with a type of their own.
const missing = await getDelivery({ client: native, path: { id: '0199c1de-0000-7000-8000-00000000dead' } });
assert.equal(missing.data, undefined);
assert.equal(missing.error?.code, 'not_found');
assert.equal(missing.error?.status, 404);
console.log('sdk: typescript: the story holds');
