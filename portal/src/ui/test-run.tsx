/** A test of a destination, followed until it has arrived or not. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, ok, type Problem, problemIn, type Schemas } from '../api/client';
import { usePolling } from '../lib/query';
import { href } from '../lib/router';
import { strings } from '../strings';
import { Note, ProblemNote } from './state';

export interface Test {
  start: () => void;
  busy: boolean;
  delivery: Schemas['Delivery'] | undefined;
  problem: Problem | undefined;
}

/** Sends a test and polls its delivery; `onEnd` is called when it is settled. */
export function useTestRun(destinationId: string, onEnd: () => void): Test {
  const [eventId, setEventId] = useState<string | undefined>();
  const [delivery, setDelivery] = useState<Schemas['Delivery'] | undefined>();
  const [problem, setProblem] = useState<Problem | undefined>();
  const ended = useRef(onEnd);
  ended.current = onEnd;
  const settled = delivery !== undefined && (delivery.state !== 'pending' || delivery.attemptCount > 0);
  const watching = eventId !== undefined && !settled;
  usePolling(
    async () => {
      const found = await ok(api.GET('/v1/deliveries', { params: { query: { eventId: eventId ?? '' } } })).catch(
        () => undefined,
      );
      if (found?.data[0]) setDelivery(found.data[0]);
    },
    watching ? 400 : 0,
  );
  useEffect(() => {
    if (settled) ended.current();
  }, [settled]);
  const start = () => {
    setDelivery(undefined);
    setProblem(undefined);
    ok(api.POST('/v1/destinations/{id}/test', { params: { path: { id: destinationId } } })).then(
      (test) => setEventId(test.eventId),
      (thrown) => {
        setEventId(undefined);
        setProblem(problemIn(thrown));
      },
    );
  };
  return { start, busy: watching, delivery: eventId ? delivery : undefined, problem };
}

export function TestRun({ test: { busy, delivery, problem } }: { test: Test }) {
  return (
    <div role="status" aria-live="polite">
      {busy && <Note tone="busy">{strings.home.testWaiting}</Note>}
      {!busy && delivery?.state === 'delivered' && <Note tone="good">{strings.home.testArrived}</Note>}
      {!busy && delivery && delivery.state !== 'delivered' && (
        <Note tone="bad">
          <p>{strings.home.testNotArrived(delivery.reason ?? strings.states[delivery.state])}</p>
          <a href={href(`/deliveries/${delivery.id}`)}>{strings.deliveries.detail}</a>
        </Note>
      )}
      <ProblemNote problem={problem} />
    </div>
  );
}
