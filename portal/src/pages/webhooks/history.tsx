/** The runs of an outgoing webhook: each call with request, answer and the script's output; repeated on demand. */
import { api, ok, type Schemas } from '../../api/client';
import { usePages } from '../../lib/pages';
import { useChange } from '../../lib/query';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { Card, Code, Time } from '../../ui/parts';
import { Removal } from '../../ui/removal';
import { Loading, OutcomeBadge, ProblemNote } from '../../ui/state';
import { say } from '../../ui/toast';

type Run = Schemas['OutgoingWebhookRun'];

const texts = strings.webhooks;
const delivery = strings.deliveries;

export function History({ id, locked }: { id: string; locked: boolean }) {
  const runs = usePages<Run>(
    `runs ${id}`,
    (cursor) =>
      ok(api.GET('/v1/outgoing-webhooks/{id}/runs', { params: { path: { id }, query: { limit: 25, cursor } } })),
    5000,
  );
  const clear = async () => {
    await ok(api.DELETE('/v1/outgoing-webhooks/{id}/runs', { params: { path: { id } } }));
    await runs.refetch();
  };
  const aside = !locked && runs.rows.length > 0 && (
    <Removal label={texts.clearHistory} title={texts.clearTitle} text={texts.clearText} remove={clear} />
  );
  return (
    <Card title={texts.history} aside={aside}>
      <ProblemNote problem={runs.problem} />
      {runs.loading && <Loading lines={2} />}
      {!runs.loading && runs.rows.length === 0 && <p class="muted">{texts.noRuns}</p>}
      <ul class="list">
        {runs.rows.map((run) => (
          <RunRow key={run.id} webhook={id} run={run} locked={locked} onReplayed={() => void runs.refetch()} />
        ))}
      </ul>
      {runs.more && <Button onClick={() => void runs.loadMore()}>{strings.common.loadMore}</Button>}
    </Card>
  );
}

interface RowProps {
  webhook: string;
  run: Run;
  locked: boolean;
  onReplayed: () => void;
}

function RunRow({ webhook, run, locked, onReplayed }: RowProps) {
  const replay = useChange(async () => {
    const params = { path: { id: webhook, runId: run.id } };
    await ok(api.POST('/v1/outgoing-webhooks/{id}/runs/{runId}/replay', { params }));
    say(texts.replayed);
    onReplayed();
  });
  return (
    <li>
      <span class="grow">
        <OutcomeBadge outcome={run.outcome} /> <Time at={run.createdAt} />{' '}
        <span class="muted">
          {run.statusCode !== undefined && `${delivery.status(run.statusCode)}, `}
          {delivery.took(run.durationMs)}
        </span>
        {run.reason && <p>{run.reason}</p>}
        {run.error && <p>{run.error}</p>}
      </span>
      {!locked && (
        <Button busy={replay.busy} onClick={() => void replay.run()}>
          {texts.replay}
        </Button>
      )}
      <details class="grow">
        <summary>{texts.details}</summary>
        <div class="stack tight">
          <h3>{delivery.request}</h3>
          <Code text={run.request} label={delivery.request} />
          {run.answer && <h3>{delivery.answer}</h3>}
          {run.answer && <Code text={run.answer} label={delivery.answer} />}
          {run.console !== undefined && <h3>{texts.console}</h3>}
          {run.console !== undefined && <Code text={JSON.stringify(run.console)} label={texts.console} />}
        </div>
      </details>
      <ProblemNote problem={replay.problem} />
    </li>
  );
}
