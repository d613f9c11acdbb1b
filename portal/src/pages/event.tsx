/** An event: its payload, and the decision of every route. */
import { api, ok, type Schemas } from '../api/client';
import { kindIcon, readEvent, useChannels, useRoutes } from '../lib/data';
import { destinationOf, useNames } from '../lib/names';
import { useChange, useQuery } from '../lib/query';
import { go, href } from '../lib/router';
import { useMay } from '../lib/session';
import { strings } from '../strings';
import { Button, CopyButton } from '../ui/button';
import { Icon } from '../ui/icon';
import { Card, Code, Facts, PageHead, Time } from '../ui/parts';
import { Badge, DeliveryBadge, Empty, Loading, ProblemNote } from '../ui/state';
import { type Column, Table } from '../ui/table';
import { say } from '../ui/toast';

const texts = strings.events;

export function EventPage({ id }: { id: string }) {
  const may = useMay();
  const event = useQuery(`event ${id}`, () => readEvent(id), { poll: 3000 });
  const shown = event.data;
  const again = useChange(async ({ type, channelId, attributes, data }: Schemas['EventDetail']) => {
    const made = await ok(api.POST('/v1/events', { body: { type, channelId, attributes, data } }));
    say(texts.sentAgain);
    go(`/events/${made.id}`);
  });
  const actions = shown && (
    <>
      {may('events:write') && (
        <Button busy={again.busy} onClick={() => void again.run(shown)}>
          {texts.again}
        </Button>
      )}
      <CopyButton text={id} />
    </>
  );
  return (
    <>
      <PageHead title={shown?.type ?? texts.title} back={['/events', texts.title]} actions={actions} />
      <div class="stack">
        <ProblemNote problem={again.problem ?? event.problem} retry={() => void event.refetch()} />
        {event.loading && <Loading />}
        {shown && <Head event={shown} />}
        {shown && <Decisions event={shown} />}
        {shown && (
          <Card title={texts.payload}>
            <Code text={JSON.stringify(shown.data ?? null)} label={texts.payload} />
          </Card>
        )}
      </div>
    </>
  );
}

function Head({ event }: { event: Schemas['EventDetail'] }) {
  const channels = useChannels();
  const channel = channels.data?.find(({ id }) => id === event.channelId)?.name;
  const attributes = Object.entries(event.attributes ?? {});
  return (
    <Card>
      <Facts
        facts={[
          [texts.time, <Time key="at" at={event.createdAt} exact />],
          [texts.source, strings.sources[event.source] ?? event.source],
          [texts.channel, channel],
          [
            texts.madeFrom,
            event.madeFrom ? (
              <a key="from" href={href(`/events/${event.madeFrom}`)}>
                {texts.madeFromText}
              </a>
            ) : undefined,
          ],
          [texts.trace, event.traceId],
          ...attributes.map(([name, value]): [string, string] => [name, value]),
        ]}
      />
    </Card>
  );
}

type Decision = Schemas['Decision'];

function Decisions({ event }: { event: Schemas['EventDetail'] }) {
  const routes = useRoutes();
  const names = useNames();
  const columns: Column<Decision>[] = [
    {
      name: texts.decision,
      cell: ({ decision }) => (
        <Badge tone={decision === 'deliver' ? 'good' : 'idle'} icon={decision === 'deliver' ? 'check' : 'skip'}>
          {texts.decisionNames[decision] ?? decision}
        </Badge>
      ),
    },
    {
      name: texts.route,
      cell: ({ routeId }) => {
        const route = routes.data?.find(({ id }) => id === routeId);
        return route ? <a href={href(`/routes/${route.id}`)}>{names.ofRoute(route)}</a> : texts.noRoute;
      },
    },
    {
      name: texts.destination,
      cell: (decision) => (
        <span class="flow">
          <Icon name={kindIcon(decision.destinationKind)} /> {names.of(destinationOf(decision))}
        </span>
      ),
    },
    {
      name: texts.state,
      cell: ({ state, deliveryId }) => (
        <a href={href(`/deliveries/${deliveryId}`)}>
          <DeliveryBadge state={state} />
        </a>
      ),
    },
    { name: texts.reason, cell: ({ reason }) => reason ?? null },
  ];
  return (
    <section class="stack tight" aria-labelledby="decisions">
      <h2 id="decisions">{texts.decisions}</h2>
      {event.decisions.length === 0 ? (
        <Empty title={texts.noDecision}>{event.explanation}</Empty>
      ) : (
        <Table
          label={texts.decisions}
          columns={columns}
          rows={event.decisions}
          keyOf={({ deliveryId }) => deliveryId}
        />
      )}
    </section>
  );
}
