/** An incoming webhook: what it does, its address, and an example of a call. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../api/client';
import { useChange, useQuery } from '../lib/query';
import { go } from '../lib/router';
import { useMay } from '../lib/session';
import { strings } from '../strings';
import { Button, CopyButton } from '../ui/button';
import { CheckField, TextField } from '../ui/field';
import { Card, Code, PageHead } from '../ui/parts';
import { Removal } from '../ui/removal';
import { SecretValue } from '../ui/secret';
import { Loading, ProblemNote } from '../ui/state';
import { say } from '../ui/toast';
import { words } from './editor/draft';
import { ScriptPart } from './webhooks/script';

const texts = strings.webhooks;
const BACK: [string, string] = ['/webhooks', texts.title];

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
  if (!webhook.data) {
    return (
      <>
        <PageHead title={texts.title} back={BACK} />
        {webhook.problem ? <ProblemNote problem={webhook.problem} /> : <Loading />}
      </>
    );
  }
  return <Editor key={id} webhook={webhook.data} onSaved={webhook.replace} />;
}

interface EditorProps {
  webhook?: Schemas['IncomingWebhook'];
  onSaved?: (webhook: Schemas['IncomingWebhook']) => void;
}

/** Returns what is set; texts that are empty are left out of a creation. */
function bodyOf(form: Schemas['CreateIncomingWebhook'], isNew: boolean): Schemas['CreateIncomingWebhook'] {
  const { alias, emoji, script, ...rest } = form;
  const set = (value: string | undefined) => (isNew && !value ? undefined : value);
  return { ...rest, alias: set(alias), emoji: set(emoji), script: set(script) };
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
  const save = useChange(async () => {
    const body = bodyOf({ ...form, channels: words(channels) }, !webhook);
    if (!webhook) {
      const made = await ok(api.POST('/v1/incoming-webhooks', { body }));
      say(texts.created);
      go(`/webhooks/incoming/${made.id}`, { replace: true });
      return;
    }
    onSaved?.(await ok(api.PATCH('/v1/incoming-webhooks/{id}', { params: { path: { id: webhook.id } }, body })));
    say(strings.common.saved);
  });
  const locked = !may('manage-incoming-integrations') && !may('manage-own-incoming-integrations');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void save.run();
      }}
    >
      <PageHead
        title={webhook?.name ?? texts.newIncoming}
        back={BACK}
        actions={webhook && <Actions webhook={webhook} locked={locked} />}
      />
      <div class="columns">
        <fieldset class="stack" disabled={locked}>
          <Card title={texts.incoming}>
            <TextField label={texts.name} value={form.name} onInput={(name) => change({ name })} required />
            <TextField
              label={texts.channels}
              value={channels}
              hint={texts.channelsHint}
              onInput={setChannels}
              required
            />
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
          <ProblemNote problem={save.problem} />
          {!locked && (
            <div class="actions">
              <Button submit look="primary" busy={save.busy}>
                {webhook ? strings.common.save : texts.create}
              </Button>
            </div>
          )}
        </fieldset>
        {webhook && !locked && <Address id={webhook.id} />}
      </div>
    </form>
  );
}

function Actions({ webhook, locked }: { webhook: Schemas['IncomingWebhook']; locked: boolean }) {
  const remove = async () => {
    await ok(api.DELETE('/v1/incoming-webhooks/{id}', { params: { path: { id: webhook.id } } }));
    say(texts.deleted);
    go('/webhooks');
  };
  return (
    <>
      <CopyButton text={webhook.id} />
      {!locked && (
        <Removal label={texts.delete} title={texts.deleteTitle(webhook.name)} text={texts.deleteText} remove={remove} />
      )}
    </>
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
