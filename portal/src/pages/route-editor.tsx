/** The editor of a route: what, where, in which form; with what would have matched beside it. */
import { useState } from 'preact/hooks';
import { all, api, ok, problemIn, type Schemas } from '../api/client';
import { useDestinations } from '../lib/data';
import { useNames } from '../lib/names';
import { useChange, useQuery } from '../lib/query';
import { go } from '../lib/router';
import { useMay } from '../lib/session';
import { strings } from '../strings';
import { Button, CopyButton } from '../ui/button';
import { Confirm } from '../ui/dialog';
import { CheckField } from '../ui/field';
import { Card, PageHead } from '../ui/parts';
import { Loading, Note, ProblemNote } from '../ui/state';
import { TestRun, useTestRun } from '../ui/test-run';
import { say } from '../ui/toast';
import { useLastEvents, WhatPart } from './editor/conditions';
import { createOf, type Draft, destinationOf, draftOf, EMPTY, isComplete, updateOf } from './editor/draft';
import { LivePart, useLiveTest } from './editor/live';
import { MessagePart, WherePart } from './editor/where';

const texts = strings.editor;
const BACK: [string, string] = ['/routes', strings.routes.title];

export function RouteEditorPage({ id }: { id?: string }) {
  if (!id) return <Editor />;
  return <ExistingRoute id={id} />;
}

function ExistingRoute({ id }: { id: string }) {
  const route = useQuery(`route ${id}`, () => ok(api.GET('/v1/routes/{id}', { params: { path: { id } } })), {
    fresh: true,
  });
  if (!route.data) {
    return (
      <>
        <PageHead title={strings.routes.title} back={BACK} />
        {route.problem ? <ProblemNote problem={route.problem} retry={() => void route.refetch()} /> : <Loading />}
      </>
    );
  }
  return <Editor key={id} route={route.data} onSaved={() => void route.refetch()} />;
}

interface EditorProps {
  route?: Schemas['Route'];
  onSaved?: () => void;
}

/** Writes an example of a template from the last event. */
function useStarter(target: string): string {
  const event = useLastEvents().data?.data[0];
  const data =
    event?.data && typeof event.data === 'object' && !Array.isArray(event.data) ? Object.keys(event.data) : [];
  const fields = data.filter((name) => /^[A-Za-z_]\w*$/.test(name)).slice(0, 4);
  if (target === 'webhook') {
    const body = Object.fromEntries([
      ['type', '{{ event.type }}'],
      ...fields.map((name) => [name, `{{ data.${name} }}`]),
    ]);
    return JSON.stringify(body, null, 2);
  }
  return ['*{{ event.type }}*', ...fields.map((name) => `${name}: {{ data.${name} }}`)].join('\n');
}

/** Returns the destination of a draft, which is created where it does not exist. */
async function destinationIdOf(draft: Draft): Promise<string> {
  if (draft.target === 'existing') return draft.address;
  try {
    return (await ok(api.POST('/v1/destinations', { body: destinationOf(draft) }))).id;
  } catch (thrown) {
    if (problemIn(thrown).status !== 409) throw thrown;
    const known = await all((cursor) => ok(api.GET('/v1/destinations', { params: { query: { limit: 250, cursor } } })));
    const found = known.find(({ kind, address }) => kind === draft.target && address === draft.address.trim());
    if (!found) throw thrown;
    return found.id;
  }
}

interface SaveProps extends EditorProps {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
}

function useSave({ draft, change, route, onSaved }: SaveProps) {
  return useChange(async () => {
    if (!route) {
      const made = await ok(api.POST('/v1/routes', { body: createOf(draft) }));
      say(texts.created);
      go(`/routes/${made.id}`, { replace: true });
      return;
    }
    const destinationId = await destinationIdOf(draft);
    const body = updateOf(draft, destinationId);
    await ok(api.PATCH('/v1/routes/{id}', { params: { path: { id: route.id } }, body }));
    change({ target: 'existing', address: destinationId });
    say(texts.saved);
    onSaved?.();
  });
}

function Editor({ route, onSaved }: EditorProps) {
  const may = useMay();
  const names = useNames();
  const destinations = useDestinations();
  const [draft, setDraft] = useState<Draft>(() => (route ? draftOf(route) : EMPTY));
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const save = useSave({ draft, change, ...(route ? { route } : {}), ...(onSaved ? { onSaved } : {}) });
  const test = useLiveTest(draft);
  const starter = useStarter(draft.target);
  const existing = destinations.data?.find(({ id }) => draft.target === 'existing' && id === draft.address);
  const kind = existing?.kind ?? draft.target;
  const managed = route?.managedBy;
  const locked = Boolean(managed) || !may('routes:manage');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void save.run();
      }}
    >
      <PageHead
        title={route ? names.ofRoute(route) : texts.new}
        back={BACK}
        actions={route && <RouteActions route={route} locked={locked} />}
      />
      {managed && (
        <Note tone="idle">{`${strings.routes.managed[managed] ?? managed}. ${strings.routes.managedText}`}</Note>
      )}
      {route?.disabledReason && <Note tone="bad">{route.disabledReason}</Note>}
      {route?.pausedReason && <Note tone="idle">{route.pausedReason}</Note>}
      <div class="columns">
        <fieldset class="stack" disabled={locked}>
          <WhatPart draft={draft} change={change} />
          <WherePart draft={draft} change={change} />
          <MessagePart draft={draft} change={change} starter={starter} />
          <ProblemNote problem={save.problem} />
          {!locked && (
            <div class="actions">
              <Button submit look="primary" busy={save.busy} disabled={!isComplete(draft)}>
                {route ? texts.save : texts.create}
              </Button>
              <CheckField
                kind="switch"
                label={strings.states.enabled}
                checked={draft.enabled}
                onChange={(enabled) => change({ enabled })}
              />
            </div>
          )}
        </fieldset>
        <div class="stack">
          {route?.destinationId && !locked && <TestPart destinationId={route.destinationId} />}
          <LivePart test={test} kind={kind} />
        </div>
      </div>
    </form>
  );
}

function TestPart({ destinationId }: { destinationId: string }) {
  const names = useNames();
  const destinations = useDestinations();
  const test = useTestRun(destinationId, () => void destinations.refetch());
  const destination = destinations.data?.find(({ id }) => id === destinationId);
  return (
    <Card title={texts.testTitle} tone={destination && destination.health !== 'healthy' ? 'bad' : undefined}>
      <div class="spread">
        <span class="strong">{destination && names.of(destination)}</span>
        <Button busy={test.busy} onClick={test.start}>
          {strings.home.sendTest}
        </Button>
      </div>
      {destination?.reason && !test.delivery && <Note tone="bad">{destination.reason}</Note>}
      <TestRun test={test} />
    </Card>
  );
}

function RouteActions({ route, locked }: { route: Schemas['Route']; locked: boolean }) {
  const [asking, setAsking] = useState(false);
  const remove = useChange(async () => {
    await ok(api.DELETE('/v1/routes/{id}', { params: { path: { id: route.id } } }));
    say(texts.deleted);
    go('/routes');
  });
  return (
    <>
      <CopyButton text={route.id} />
      {!locked && (
        <Button look="danger" onClick={() => setAsking(true)}>
          {texts.delete}
        </Button>
      )}
      {asking && (
        <Confirm
          title={texts.deleteTitle}
          confirm={texts.delete}
          danger
          busy={remove.busy}
          problem={remove.problem}
          onConfirm={() => void remove.run()}
          onClose={() => setAsking(false)}
        >
          <p>{texts.deleteText}</p>
        </Confirm>
      )}
    </>
  );
}
