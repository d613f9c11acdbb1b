/** An outgoing webhook: when it is called, where, with which script; its credentials and history. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../api/client';
import { useQuery } from '../lib/query';
import { useMay } from '../lib/session';
import { strings } from '../strings';
import { AreaField, CheckField, SelectField, TextField } from '../ui/field';
import { Card } from '../ui/parts';
import { SecretValue } from '../ui/secret';
import { words } from './editor/draft';
import { filled, Loaded, useSave, WebhookForm } from './webhooks/frame';
import { History } from './webhooks/history';
import { ScriptPart } from './webhooks/script';

type Form = Schemas['CreateOutgoingWebhook'];

const texts = strings.webhooks;

export function OutgoingWebhookPage({ id }: { id: string }) {
  const isNew = id === 'new';
  const webhook = useQuery(
    `outgoing ${id}`,
    () => ok(api.GET('/v1/outgoing-webhooks/{id}', { params: { path: { id } } })),
    {
      enabled: !isNew,
      fresh: true,
    },
  );
  if (isNew) return <Editor />;
  return <Loaded query={webhook}>{(data) => <Editor key={id} webhook={data} onSaved={webhook.replace} />}</Loaded>;
}

interface EditorProps {
  webhook?: Schemas['OutgoingWebhook'];
  onSaved?: (webhook: Schemas['OutgoingWebhook']) => void;
}

function formOf(webhook: Schemas['OutgoingWebhook'] | undefined): Form {
  const {
    name = '',
    event = 'sendMessage',
    urls = [],
    channels = [],
    enabled = true,
    triggerWords = [],
  } = webhook ?? {};
  const { triggerWordAnywhere = false, runOnEdits = false, targetChannel, alias } = webhook ?? {};
  const { retryFailedCalls = true, scriptEnabled = false, script } = webhook ?? {};
  return {
    ...{ name, event, urls, channels, enabled, triggerWords, triggerWordAnywhere, runOnEdits },
    ...{ targetChannel, alias, retryFailedCalls, scriptEnabled, script },
  };
}

interface Texts {
  urls: string;
  channels: string;
  triggerWords: string;
}

function bodyOf(form: Form, lists: Texts, isNew: boolean): Form {
  return {
    ...form,
    urls: lists.urls
      .split('\n')
      .map((url) => url.trim())
      .filter(Boolean),
    channels: words(lists.channels),
    triggerWords: words(lists.triggerWords),
    targetChannel: form.targetChannel || undefined,
    alias: filled(form.alias, isNew),
    script: filled(form.script, isNew),
  };
}

function Editor({ webhook, onSaved }: EditorProps) {
  const may = useMay();
  const [form, setForm] = useState(() => formOf(webhook));
  const [lists, setLists] = useState<Texts>(() => ({
    urls: form.urls.join('\n'),
    channels: (form.channels ?? []).join(', '),
    triggerWords: (form.triggerWords ?? []).join(', '),
  }));
  const change = (part: Partial<Form>) => setForm({ ...form, ...part });
  const body = () => bodyOf(form, lists, !webhook);
  const params = webhook && { path: { id: webhook.id } };
  const save = useSave({
    kind: 'outgoing',
    create: () => ok(api.POST('/v1/outgoing-webhooks', { body: body() })),
    update: params && (() => ok(api.PATCH('/v1/outgoing-webhooks/{id}', { params, body: body() }))),
    onSaved,
  });
  const locked = !may('manage-outgoing-integrations') && !may('manage-own-outgoing-integrations');
  return (
    <WebhookForm
      webhook={webhook}
      newTitle={texts.newOutgoing}
      locked={locked}
      save={save}
      remove={(id) => ok(api.DELETE('/v1/outgoing-webhooks/{id}', { params: { path: { id } } }))}
      aside={
        webhook && (
          <div class="stack">
            {!locked && <Credentials id={webhook.id} />}
            <History id={webhook.id} locked={locked} />
          </div>
        )
      }
    >
      <CallPart form={form} change={change} lists={lists} setLists={setLists} />
      <ScriptPart value={form} error={webhook?.scriptError} onChange={change} />
    </WebhookForm>
  );
}

const EVENTS = Object.entries(texts.events) as [Schemas['OutgoingWebhookEvent'], string][];

interface CallProps {
  form: Form;
  change: (part: Partial<Form>) => void;
  lists: Texts;
  setLists: (lists: Texts) => void;
}

function CallPart({ form, change, lists, setLists }: CallProps) {
  const list = (part: Partial<Texts>) => setLists({ ...lists, ...part });
  return (
    <Card title={texts.outgoing}>
      <TextField label={texts.name} value={form.name} onInput={(name) => change({ name })} required />
      <SelectField
        label={texts.event}
        value={form.event}
        options={EVENTS}
        onChange={(event) => change({ event: event as Form['event'] })}
      />
      <AreaField
        label={texts.urls}
        value={lists.urls}
        rows={2}
        hint={texts.urlsHint}
        onInput={(urls) => list({ urls })}
        required
      />
      <TextField
        label={texts.channels}
        value={lists.channels}
        hint={texts.outgoingChannelsHint}
        onInput={(channels) => list({ channels })}
        optional
      />
      {form.event === 'sendMessage' && (
        <>
          <TextField
            label={texts.triggerWords}
            value={lists.triggerWords}
            hint={texts.triggerWordsHint}
            onInput={(triggerWords) => list({ triggerWords })}
            optional
          />
          <CheckField
            label={texts.triggerWordAnywhere}
            checked={form.triggerWordAnywhere ?? false}
            onChange={(triggerWordAnywhere) => change({ triggerWordAnywhere })}
          />
          <CheckField
            label={texts.runOnEdits}
            checked={form.runOnEdits ?? false}
            onChange={(runOnEdits) => change({ runOnEdits })}
          />
        </>
      )}
      <TextField
        label={texts.targetChannel}
        value={form.targetChannel ?? ''}
        hint={texts.targetChannelHint}
        onInput={(targetChannel) => change({ targetChannel })}
        optional
      />
      <CheckField
        label={texts.retry}
        checked={form.retryFailedCalls ?? false}
        onChange={(retryFailedCalls) => change({ retryFailedCalls })}
      />
      <CheckField
        kind="switch"
        label={texts.enabled}
        checked={form.enabled ?? true}
        onChange={(enabled) => change({ enabled })}
      />
    </Card>
  );
}

function Credentials({ id }: { id: string }) {
  const params = { path: { id } };
  return (
    <Card title={texts.credentials}>
      <SecretValue
        label={texts.token}
        read={async () => (await ok(api.GET('/v1/outgoing-webhooks/{id}/token', { params }))).token}
        rotate={() => ok(api.POST('/v1/outgoing-webhooks/{id}/token/rotate', { params }))}
      />
      <SecretValue
        label={texts.signingSecret}
        read={async () => (await ok(api.GET('/v1/outgoing-webhooks/{id}/signing-secret', { params }))).secret}
        rotate={() => ok(api.POST('/v1/outgoing-webhooks/{id}/signing-secret/rotate', { params }))}
      />
    </Card>
  );
}
