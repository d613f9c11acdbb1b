/** Settings of a destination: its retry schedule, and of a webhook the URL and the secret of its signatures. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../../api/client';
import { pausesOf, pausesText } from '../../lib/format';
import { useNames } from '../../lib/names';
import { useChange } from '../../lib/query';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { TextField } from '../../ui/field';
import { Removal } from '../../ui/removal';
import { SecretValue } from '../../ui/secret';
import { Note, ProblemNote } from '../../ui/state';
import { say } from '../../ui/toast';

const texts = strings.destination;

interface SettingsProps {
  destination: Schemas['Destination'];
  onClose: () => void;
  refetch: () => void;
}

export function DestinationSettings({ destination, onClose, refetch }: SettingsProps) {
  const names = useNames();
  const { id, kind, health } = destination;
  const isWebhook = kind === 'webhook';
  const params = { path: { id } };
  const [url, setUrl] = useState(destination.address);
  const [pauses, setPauses] = useState(pausesText(destination.retrySchedule));
  const schedule = pausesOf(pauses);
  const update = async (body: Schemas['UpdateDestination']) => {
    await ok(api.PATCH('/v1/destinations/{id}', { params, body }));
    say(strings.common.saved);
    refetch();
    onClose();
  };
  const save = useChange(() => {
    const moved = isWebhook && url.trim() !== destination.address;
    return update({ retrySchedule: schedule?.length ? schedule : null, ...(moved ? { url: url.trim() } : {}) });
  });
  const toggle = useChange((enabled: boolean) => update({ enabled }));
  const remove = async () => {
    await ok(api.DELETE('/v1/destinations/{id}', { params }));
    say(texts.deleted);
    refetch();
    onClose();
  };
  const actions = (
    <>
      {isWebhook && (
        <Removal
          label={texts.delete}
          title={texts.deleteTitle(names.of(destination))}
          text={texts.deleteText}
          remove={remove}
        />
      )}
      <Button busy={toggle.busy} onClick={() => void toggle.run(health === 'disabled')}>
        {health === 'disabled' ? strings.home.enable : texts.disable}
      </Button>
      <Button look="primary" busy={save.busy} disabled={schedule === undefined} onClick={() => void save.run()}>
        {strings.common.save}
      </Button>
    </>
  );
  return (
    <Dialog title={texts.title(names.of(destination))} onClose={onClose} actions={actions} wide>
      {isWebhook && (
        <TextField type="url" label={strings.editor.url} value={url} onInput={setUrl} hint={strings.editor.urlHint} />
      )}
      <TextField
        label={strings.organisation.retry}
        value={pauses}
        onInput={setPauses}
        hint={texts.retryHint}
        fault={schedule === undefined ? strings.organisation.pausesFault : undefined}
        optional
      />
      {isWebhook && <Secret id={id} />}
      <Note tone="idle">{texts.disableText}</Note>
      <ProblemNote problem={save.problem ?? toggle.problem} />
    </Dialog>
  );
}

function Secret({ id }: { id: string }) {
  const params = { path: { id } };
  return (
    <SecretValue
      label={texts.secret}
      read={async () => (await ok(api.GET('/v1/destinations/{id}/secret', { params }))).secret}
      rotate={() => ok(api.POST('/v1/destinations/{id}/secret/rotate', { params }))}
    />
  );
}
