/** The part of the editor that says where events go, and in which form. */
import { kindIcon, useApps, useChannels, useDestinations } from '../../lib/data';
import { useNames, useSlackChannels } from '../../lib/names';
import { href } from '../../lib/router';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { AreaField, SelectField, TextField } from '../../ui/field';
import { Card } from '../../ui/parts';
import { type Option, Picker } from '../../ui/picker';
import { Note, ProblemNote } from '../../ui/state';
import type { PartProps } from './conditions';
import { isTemplateValid, type TargetKind } from './draft';

const texts = strings.editor;

const KINDS: [TargetKind, string][] = [
  ['slack', strings.kinds.slack ?? ''],
  ['existing', texts.existing],
  ['webhook', strings.kinds.webhook ?? ''],
  ['email', strings.kinds.email ?? ''],
  ['channel', strings.kinds.channel ?? ''],
  ['integration', strings.kinds.integration ?? ''],
];

export function WherePart({ draft, change }: PartProps) {
  const set = (address: string) => change({ address });
  return (
    <Card title={texts.where}>
      <SelectField
        label={texts.kind}
        value={draft.target}
        options={KINDS}
        onChange={(target) => change({ target: target as TargetKind, address: '' })}
      />
      {draft.target === 'slack' && <SlackChannel value={draft.address} onChange={set} />}
      {draft.target === 'existing' && <Existing value={draft.address} onChange={set} />}
      {draft.target === 'channel' && <OwnChannel value={draft.address} onChange={set} />}
      {draft.target === 'integration' && <InstalledApp value={draft.address} onChange={set} />}
      {draft.target === 'webhook' && (
        <TextField
          type="url"
          label={texts.url}
          value={draft.address}
          hint={texts.urlHint}
          placeholder="https://example.com/hook"
          onInput={set}
          required
        />
      )}
      {draft.target === 'email' && (
        <TextField type="email" label={texts.email} value={draft.address} onInput={set} required />
      )}
    </Card>
  );
}

interface ChoiceProps {
  value: string;
  onChange: (value: string) => void;
}

/** Channels of the connected workspace: those that the bot is in first, for only they can be chosen. */
function useChannelOptions() {
  const { channels, missing } = useSlackChannels();
  const options = (channels.data ?? []).map(
    ({ id, name, isPrivate, isMember }): Option => ({
      value: id,
      label: name,
      icon: isPrivate ? 'lock' : 'hash',
      note: [isPrivate ? texts.privateChannel : '', isMember ? texts.botIn : texts.botOut].filter(Boolean).join(', '),
      good: isMember,
      disabled: !isMember,
    }),
  );
  options.sort((a, b) => Number(b.good) - Number(a.good) || a.label.localeCompare(b.label));
  return { missing, channels, options };
}

function SlackChannel({ value, onChange }: ChoiceProps) {
  const { missing, channels, options } = useChannelOptions();
  if (missing) {
    return (
      <Note tone="warn">
        <p>
          {texts.noSlack} <a href={href('/')}>{texts.connectFirst}</a>
        </p>
      </Note>
    );
  }
  return (
    <>
      <Picker
        label={texts.channel}
        options={options}
        value={value}
        onChange={onChange}
        loading={channels.loading}
        hint={texts.channelHint}
      />
      <ProblemNote problem={channels.problem} />
      <div class="actions">
        <Button look="quiet" onClick={() => void channels.refetch()}>
          {texts.reloadChannels}
        </Button>
      </div>
    </>
  );
}

function Existing({ value, onChange }: ChoiceProps) {
  const names = useNames();
  const destinations = useDestinations();
  const options = (destinations.data ?? []).map(
    (destination): Option => ({
      value: destination.id,
      label: names.of(destination),
      icon: kindIcon(destination.kind),
      note:
        destination.health === 'healthy'
          ? (strings.kinds[destination.kind] ?? destination.kind)
          : strings.states[destination.health],
    }),
  );
  return (
    <Picker
      label={texts.destination}
      options={options}
      value={value}
      onChange={onChange}
      loading={destinations.loading}
    />
  );
}

function OwnChannel({ value, onChange }: ChoiceProps) {
  const channels = useChannels();
  const options = (channels.data ?? [])
    .filter(({ archivedAt }) => !archivedAt)
    .map(({ id, name, private: isPrivate }): Option => ({ value: id, label: name, icon: isPrivate ? 'lock' : 'hash' }));
  return (
    <Picker label={texts.ownChannel} options={options} value={value} onChange={onChange} loading={channels.loading} />
  );
}

function InstalledApp({ value, onChange }: ChoiceProps) {
  const apps = useApps();
  const options = (apps.data ?? []).map(({ id, name }): Option => ({ value: id, label: name, icon: 'apps' }));
  return <Picker label={texts.app} options={options} value={value} onChange={onChange} loading={apps.loading} />;
}

export function MessagePart({ draft, change, starter }: PartProps & { starter: string }) {
  return (
    <Card title={texts.message}>
      <AreaField
        label={texts.template}
        value={draft.template}
        rows={6}
        hint={texts.templateHint}
        fault={isTemplateValid(draft.template) ? undefined : texts.notJson}
        onInput={(template) => change({ template })}
        optional
      />
      {draft.template === '' && (
        <div class="actions">
          <Button look="quiet" onClick={() => change({ template: starter })}>
            {texts.starter}
          </Button>
        </div>
      )}
      <TextField
        label={texts.name}
        value={draft.name}
        hint={texts.nameHint}
        onInput={(name) => change({ name })}
        optional
      />
    </Card>
  );
}
