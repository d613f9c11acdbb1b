/** An incoming webhook: what it does, its address, and an example of a call. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../api/client';
import { useQuery } from '../lib/query';
import { useMay } from '../lib/session';
import { strings } from '../strings';
import { CheckField, TextField } from '../ui/field';
import { Card, Code } from '../ui/parts';
import { SecretValue } from '../ui/secret';
import { words } from './editor/draft';
import { filled, Loaded, useSave, WebhookForm } from './webhooks/frame';
import { ScriptPart } from './webhooks/script';

const texts = strings.webhooks;

export function IncomingWebhookPage({ id }: { id: string }) {
  const isNew = id === 'new';
  const webhook = useQuery(
    `incoming ${id}`,
    () => ok(api.GET('/v1/incoming-webhooks/{id}', { params: { path: { id } } })),
    {
      enabled: !isNew,
      fresh: true,
    },
  );
  if (isNew) return <Editor />;
  return <Loaded query={webhook}>{(data) => <Editor key={id} webhook={data} onSaved={webhook.replace} />}</Loaded>;
}

interface EditorProps {
  webhook?: Schemas['IncomingWebhook'];
  onSaved?: (webhook: Schemas['IncomingWebhook']) => void;
}

/** Returns what is set; texts that are empty are left out of a creation. */
function bodyOf(form: Schemas['CreateIncomingWebhook'], isNew: boolean): Schemas['CreateIncomingWebhook'] {
  const { alias, emoji, script, ...rest } = form;
  return { ...rest, alias: filled(alias, isNew), emoji: filled(emoji, isNew), script: filled(script, isNew) };
}

function formOf(webhook: Schemas['IncomingWebhook'] | undefined): Schemas['CreateIncomingWebhook'] {
  const { name = '', channels = [], enabled = true, channelOverride = false, alias, emoji } = webhook ?? {};
  const { scriptEnabled = false, script } = webhook ?? {};
  return { name, channels, enabled, channelOverride, alias, emoji, scriptEnabled, script };
}

function Editor({ webhook, onSaved }: EditorProps) {
  const may = useMay();
  const [form, setForm] = useState(() => formOf(webhook));
  const [channels, setChannels] = useState(form.channels.join(', '));
  const change = (part: Partial<Schemas['CreateIncomingWebhook']>) => setForm({ ...form, ...part });
  const body = () => bodyOf({ ...form, channels: words(channels) }, !webhook);
  const params = webhook && { path: { id: webhook.id } };
  const save = useSave({
    kind: 'incoming',
    create: () => ok(api.POST('/v1/incoming-webhooks', { body: body() })),
    update: params && (() => ok(api.PATCH('/v1/incoming-webhooks/{id}', { params, body: body() }))),
    onSaved,
  });
  const locked = !may('manage-incoming-integrations') && !may('manage-own-incoming-integrations');
  return (
    <WebhookForm
      webhook={webhook}
      newTitle={texts.newIncoming}
      locked={locked}
      save={save}
      remove={(id) => ok(api.DELETE('/v1/incoming-webhooks/{id}', { params: { path: { id } } }))}
      aside={webhook && !locked && <Address id={webhook.id} />}
    >
      <Card title={texts.incoming}>
        <TextField label={texts.name} value={form.name} onInput={(name) => change({ name })} required />
        <TextField label={texts.channels} value={channels} hint={texts.channelsHint} onInput={setChannels} required />
        <TextField label={texts.alias} value={form.alias ?? ''} onInput={(alias) => change({ alias })} optional />
        <TextField
          label={texts.emoji}
          value={form.emoji ?? ''}
          hint={texts.emojiHint}
          onInput={(emoji) => change({ emoji })}
          optional
        />
        <CheckField
          label={texts.channelOverride}
          checked={form.channelOverride ?? false}
          onChange={(channelOverride) => change({ channelOverride })}
        />
        <CheckField
          kind="switch"
          label={texts.enabled}
          checked={form.enabled ?? true}
          onChange={(enabled) => change({ enabled })}
        />
      </Card>
      <ScriptPart value={form} error={webhook?.scriptError} onChange={change} />
    </WebhookForm>
  );
}

function Address({ id }: { id: string }) {
  const params = { path: { id } };
  const lines = ["curl -H 'Content-Type: application/json'", `-d '{"text": "Hello from a script"}'`, '"$ADDRESS"'];
  const example = lines.join(' \\\n  ');
  return (
    <Card title={texts.address}>
      <p class="muted">{texts.addressText}</p>
      <SecretValue
        label={texts.address}
        read={async () => (await ok(api.GET('/v1/incoming-webhooks/{id}/token', { params }))).url}
        rotate={() => ok(api.POST('/v1/incoming-webhooks/{id}/token/rotate', { params }))}
      />
      <h3>{texts.example}</h3>
      <p class="muted">{texts.exampleText}</p>
      <Code text={example} label={texts.example} />
    </Card>
  );
}
