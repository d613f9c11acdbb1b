/** The parts that the pages of incoming and of outgoing webhooks share. */
import type { ComponentChildren } from 'preact';
import { type Change, type Query, useChange } from '../../lib/query';
import { go } from '../../lib/router';
import { strings } from '../../strings';
import { Button, CopyButton } from '../../ui/button';
import { PageHead } from '../../ui/parts';
import { Removal } from '../../ui/removal';
import { Loading, ProblemNote } from '../../ui/state';
import { say } from '../../ui/toast';

const texts = strings.webhooks;
const BACK: [string, string] = ['/webhooks', texts.title];

/** Shows a webhook once it is loaded. */
export function Loaded<T>({ query, children }: { query: Query<T>; children: (webhook: T) => ComponentChildren }) {
  if (query.data) return <>{children(query.data)}</>;
  return (
    <>
      <PageHead title={texts.title} back={BACK} />
      {query.problem ? <ProblemNote problem={query.problem} /> : <Loading />}
    </>
  );
}

/** Returns a text of a form; one that is empty is left out of a creation. */
export function filled(text: string | undefined, isNew: boolean): string | undefined {
  return isNew && !text ? undefined : text;
}

interface Save<T> {
  kind: 'incoming' | 'outgoing';
  create: () => Promise<{ id: string }>;
  /** Absent for a webhook that is new. */
  update: (() => Promise<T>) | undefined;
  onSaved: ((webhook: T) => void) | undefined;
}

/** Creates a webhook and leads to its page, or changes it. */
export function useSave<T>({ kind, create, update, onSaved }: Save<T>): Change<[], void> {
  return useChange(async () => {
    if (!update) {
      const made = await create();
      say(texts.created);
      go(`/webhooks/${kind}/${made.id}`, { replace: true });
      return;
    }
    onSaved?.(await update());
    say(strings.common.saved);
  });
}

interface FormProps {
  webhook: { id: string; name: string } | undefined;
  newTitle: string;
  locked: boolean;
  save: Change<[], void>;
  remove: (id: string) => Promise<unknown>;
  /** Content beside the fields. */
  aside: ComponentChildren;
  children: ComponentChildren;
}

/** The form of a webhook: its head with the actions, its fields, the button. */
export function WebhookForm({ webhook, newTitle, locked, save, remove, aside, children }: FormProps) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void save.run();
      }}
    >
      <PageHead
        title={webhook?.name ?? newTitle}
        back={BACK}
        actions={webhook && <Actions webhook={webhook} locked={locked} remove={remove} />}
      />
      <div class="columns">
        <fieldset class="stack" disabled={locked}>
          {children}
          <ProblemNote problem={save.problem} />
          {!locked && (
            <div class="actions">
              <Button submit look="primary" busy={save.busy}>
                {webhook ? strings.common.save : texts.create}
              </Button>
            </div>
          )}
        </fieldset>
        {aside}
      </div>
    </form>
  );
}

interface ActionsProps {
  webhook: { id: string; name: string };
  locked: boolean;
  remove: (id: string) => Promise<unknown>;
}

function Actions({ webhook, locked, remove }: ActionsProps) {
  const removeAndLeave = async () => {
    await remove(webhook.id);
    say(texts.deleted);
    go('/webhooks');
  };
  return (
    <>
      <CopyButton text={webhook.id} />
      {!locked && (
        <Removal
          label={texts.delete}
          title={texts.deleteTitle(webhook.name)}
          text={texts.deleteText}
          remove={removeAndLeave}
        />
      )}
    </>
  );
}
