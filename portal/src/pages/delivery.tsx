/** A delivery as a time line: the event, the decision, each attempt with request and answer. */
import type { ComponentChildren } from 'preact';
import { api, ok, type Schemas } from '../api/client';
import { readEvent, useRoutes } from '../lib/data';
import { destinationOf, useNames } from '../lib/names';
import { useChange, useQuery } from '../lib/query';
import { href } from '../lib/router';
import { useMay } from '../lib/session';
import { strings } from '../strings';
import { Button, CopyButton } from '../ui/button';
import { Icon, type IconName } from '../ui/icon';
import { Card, Code, PageHead, Time } from '../ui/parts';
import { DeliveryBadge, Loading, Note, OutcomeBadge, ProblemNote, type Tone } from '../ui/state';
import { say } from '../ui/toast';

const texts = strings.deliveries;
const POLL = 2000;

export function DeliveryPage({ id }: { id: string }) {
  const may = useMay();
  const names = useNames();
  const params = { path: { id } };
  const delivery = useQuery(`delivery ${id}`, () => ok(api.GET('/v1/deliveries/{id}', { params })), { poll: POLL });
  const eventId = delivery.data?.eventId ?? '';
  const event = useQuery(`event ${eventId}`, () => readEvent(eventId), {
    enabled: eventId !== '' && may('events:read'),
  });
  const replay = useChange(async () => {
    await ok(api.POST('/v1/deliveries/{id}/replay', { params }));
    say(texts.replayed);
    await delivery.refetch();
  });
  const shown = delivery.data;
  const actions = shown && (
    <>
      {shown.state !== 'pending' && may('deliveries:replay') && (
        <Button
          look={shown.state === 'delivered' ? 'plain' : 'primary'}
          busy={replay.busy}
          onClick={() => void replay.run()}
        >
          {texts.replay}
        </Button>
      )}
      <CopyButton text={id} />
    </>
  );
  const title = shown ? texts.of(shown.eventType, names.of(destinationOf(shown))) : texts.title;
  return (
    <>
      <PageHead title={title} back={['/deliveries', texts.title]} actions={actions} />
      <div class="stack">
        <ProblemNote problem={replay.problem ?? delivery.problem} retry={() => void delivery.refetch()} />
        {delivery.loading && <Loading />}
        {shown && <Summary delivery={shown} />}
        {shown && <Timeline delivery={shown} event={event.data} />}
      </div>
    </>
  );
}

const TONES: Record<Schemas['DeliveryState'], Tone> = {
  delivered: 'good',
  failed: 'bad',
  pending: 'busy',
  skipped: 'idle',
};

function Summary({ delivery }: { delivery: Schemas['DeliveryDetail'] }) {
  const { state, reason, nextAttemptAt } = delivery;
  return (
    <div class="stack tight" role="status" aria-live="polite">
      <p>
        <DeliveryBadge state={state} />
        {nextAttemptAt && state === 'pending' && (
          <span class="muted">
            {' '}
            {texts.next} <Time at={nextAttemptAt} />
          </span>
        )}
      </p>
      {reason && <Note tone={TONES[state]}>{reason}</Note>}
    </div>
  );
}

interface TimelineProps {
  delivery: Schemas['DeliveryDetail'];
  event: Schemas['EventDetail'] | undefined;
}

function Timeline({ delivery, event }: TimelineProps) {
  const routes = useRoutes();
  const names = useNames();
  const decision = event?.decisions.find(({ deliveryId }) => deliveryId === delivery.id);
  const route = routes.data?.find(({ id }) => id === decision?.routeId);
  return (
    <Card title={texts.timeline}>
      <ol class="timeline">
        <Moment icon="events" tone="busy">
          <p class="strong">
            {texts.accepted}: <code>{delivery.eventType}</code>
          </p>
          <p class="muted">
            <Time at={delivery.createdAt} exact /> {event && texts.from(strings.sources[event.source] ?? event.source)}
          </p>
          <a href={href(`/events/${delivery.eventId}`)}>{texts.seeEvent}</a>
        </Moment>
        {decision && (
          <Moment
            icon={decision.decision === 'deliver' ? 'routes' : 'skip'}
            tone={decision.decision === 'deliver' ? 'busy' : 'idle'}
          >
            <p class="strong">{texts.decided[decision.decision] ?? decision.decision}</p>
            {route && (
              <p class="muted">
                <a href={href(`/routes/${route.id}`)}>{texts.byRoute(names.ofRoute(route))}</a>
              </p>
            )}
            {decision.decision !== 'deliver' && decision.reason && <p>{decision.reason}</p>}
          </Moment>
        )}
        {delivery.attempts.map((attempt) => (
          <AttemptMoment key={attempt.id} attempt={attempt} />
        ))}
        {delivery.state === 'pending' && delivery.nextAttemptAt && (
          <Moment icon="clock" tone="busy">
            <p class="strong">{texts.next}</p>
            <p class="muted">
              <Time at={delivery.nextAttemptAt} exact />
            </p>
          </Moment>
        )}
      </ol>
    </Card>
  );
}

function Moment({ icon, tone, children }: { icon: IconName; tone: Tone; children: ComponentChildren }) {
  return (
    <li>
      <span class={`dot ${tone}`}>
        <Icon name={icon} size={14} />
      </span>
      <div>{children}</div>
    </li>
  );
}

const OUTCOMES: Record<Schemas['AttemptOutcome'], [IconName, Tone]> = {
  delivered: ['check', 'good'],
  retried: ['warn', 'warn'],
  failed: ['cross', 'bad'],
};

function AttemptMoment({ attempt }: { attempt: Schemas['Attempt'] }) {
  const [icon, tone] = OUTCOMES[attempt.outcome];
  const answer = attempt.statusCode ? `${texts.answer}, ${texts.status(attempt.statusCode)}` : texts.answer;
  return (
    <Moment icon={icon} tone={tone}>
      <p class="row">
        <span class="strong">{texts.attempt(attempt.number)}</span> <OutcomeBadge outcome={attempt.outcome} />
      </p>
      <p class="muted">
        <Time at={attempt.createdAt} exact />, {texts.took(attempt.durationMs)}
      </p>
      {attempt.reason && <p>{attempt.reason}</p>}
      <div class="beside">
        <div>
          <h3>{texts.request}</h3>
          <Code text={attempt.request} label={`${texts.attempt(attempt.number)}: ${texts.request}`} />
        </div>
        <div>
          <h3>{answer}</h3>
          {attempt.answer ? (
            <Code text={attempt.answer} label={`${texts.attempt(attempt.number)}: ${texts.answer}`} />
          ) : (
            <p class="muted">{texts.noAnswer}</p>
          )}
        </div>
      </div>
    </Moment>
  );
}
