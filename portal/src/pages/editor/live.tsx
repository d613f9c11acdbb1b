/** The right side of the editor: which of the last events would match, why, and what would be sent. */
import { useState } from 'preact/hooks';
import { api, ok, type Problem, type Schemas } from '../../api/client';
import { useChange, useDebounced, useQuery } from '../../lib/query';
import { useMay } from '../../lib/session';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { Icon } from '../../ui/icon';
import { Card, Code } from '../../ui/parts';
import { Badge, Loading, Note, ProblemNote } from '../../ui/state';
import { createOf, type Draft, isComplete } from './draft';
import { SlackPreview } from './slack-preview';

const texts = strings.editor;

/** Tests the draft a moment after its last change. */
export function useLiveTest(draft: Draft) {
  const may = useMay();
  const route = useDebounced(isComplete(draft) ? createOf(draft) : undefined, 350);
  const allowed = may('routes:manage') && may('events:read') && may('channels:manage');
  const query = useQuery(
    `route-test ${JSON.stringify(route ?? null)}`,
    async () => (route ? (await ok(api.POST('/v1/routes/test', { body: { route } }))).data : []),
    { enabled: allowed && route !== undefined, keep: true },
  );
  return { ...query, complete: isComplete(draft), allowed };
}

interface LiveProps {
  test: ReturnType<typeof useLiveTest>;
  kind: string;
}

export function LivePart({ test, kind }: LiveProps) {
  const [chosen, setChosen] = useState<string | undefined>();
  const results = test.data ?? [];
  const matched = results.filter((result) => result.matched);
  const shown = results.find(({ eventId }) => eventId === chosen) ?? matched[0];
  if (!test.allowed) return null;
  return (
    <Card title={texts.preview} class="sticky">
      <p role="status" aria-live="polite">
        {!test.complete && texts.incomplete}
        {test.complete && test.loading && !test.data && texts.checking}
        {test.data && results.length > 0 && <strong>{texts.matches(matched.length, results.length)}</strong>}
        {test.complete && test.data && results.length === 0 && texts.noEvents}
      </p>
      <ProblemNote problem={test.complete ? test.problem : undefined} />
      {test.complete && test.loading && !test.data && <Loading lines={2} label={texts.checking} />}
      {test.complete && test.data && results.length === 0 && <SendSample onSent={() => void test.refetch()} />}
      {results.length > 0 && (
        <ul class="matches" aria-label={texts.eventList}>
          {results.map((result) => (
            <ResultRow
              key={result.eventId}
              result={result}
              chosen={result === shown}
              onChoose={() => setChosen(result.eventId)}
            />
          ))}
        </ul>
      )}
      {shown ? <Shown result={shown} kind={kind} /> : results.length > 0 && <p class="muted">{texts.chooseEvent}</p>}
    </Card>
  );
}

interface RowProps {
  result: Schemas['RouteTest'];
  chosen: boolean;
  onChoose: () => void;
}

function ResultRow({ result, chosen, onChoose }: RowProps) {
  return (
    <li>
      <button type="button" aria-pressed={chosen} onClick={onChoose}>
        <Badge tone={result.matched ? 'good' : 'idle'} icon={result.matched ? 'check' : 'skip'}>
          {result.matched ? texts.matched : texts.notMatched}
        </Badge>
        <code class="clip">{result.eventType}</code>
        {result.reason && <span class="reason">{result.reason}</span>}
      </button>
    </li>
  );
}

function Shown({ result, kind }: { result: Schemas['RouteTest']; kind: string }) {
  return (
    <div class="stack tight">
      <h3>{texts.previewOf(result.eventType)}</h3>
      {result.reason && <Note tone="idle">{result.reason}</Note>}
      {result.checks && result.checks.length > 0 && (
        <ul class="list" aria-label={texts.checks}>
          {result.checks.map(({ name, passed, detail }) => (
            <li key={name}>
              <Icon name={passed ? 'check' : 'skip'} />
              <span class="grow">
                <strong>{name}</strong> {detail}
              </span>
            </li>
          ))}
        </ul>
      )}
      {result.templateError && (
        <Note tone="bad">
          {texts.templateFault} {result.templateError}
        </Note>
      )}
      {result.matched && !result.templateError && <Content preview={result.preview} kind={kind} />}
    </div>
  );
}

function Content({ preview, kind }: { preview: unknown; kind: string }) {
  if (preview === undefined || preview === null) return <p class="muted">{texts.defaultPreview}</p>;
  if (kind === 'slack') return <SlackPreview content={preview} />;
  const text = typeof preview === 'string' ? preview : JSON.stringify(preview);
  return <Code text={text} label={texts.preview} />;
}

const SAMPLE = {
  type: 'order.created',
  attributes: { region: 'eu' },
  data: { number: 1001, total: 120, customer: 'Ada' },
};

/** Sends an event, so that there is something to match. */
function SendSample({ onSent }: { onSent: () => void }) {
  const may = useMay();
  const send = useChange(async () => {
    await ok(api.POST('/v1/events', { body: SAMPLE }));
    onSent();
  });
  if (!may('events:write')) return null;
  const problem: Problem | undefined = send.problem;
  return (
    <>
      <Button busy={send.busy} onClick={() => void send.run()}>
        {texts.sendSample}
      </Button>
      <ProblemNote problem={problem} />
    </>
  );
}
