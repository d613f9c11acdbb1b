/** The card of a destination: its health, the reason, and the cure as a button. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../../api/client';
import { kindIcon } from '../../lib/data';
import { count } from '../../lib/format';
import { useNames } from '../../lib/names';
import { useChange } from '../../lib/query';
import { href } from '../../lib/router';
import { useMay } from '../../lib/session';
import { strings } from '../../strings';
import { Button, CopyButton, IconButton, LinkButton } from '../../ui/button';
import { Icon } from '../../ui/icon';
import { Card, Facts, Time } from '../../ui/parts';
import { ReplayFailed } from '../../ui/replay';
import { HealthBadge, Note, ProblemNote } from '../../ui/state';
import { TestRun, useTestRun } from '../../ui/test-run';
import { say } from '../../ui/toast';
import { DestinationSettings } from './settings';

interface CardProps {
  destination: Schemas['Destination'];
  refetch: () => void;
}

export function DestinationCard({ destination, refetch }: CardProps) {
  const names = useNames();
  const { kind, health, reason, pausedReason, since } = destination;
  const bad = health !== 'healthy';
  const title = (
    <>
      <Icon name={kindIcon(kind)} />
      {names.of(destination)}
    </>
  );
  return (
    <Card title={title} level={3} item tone={bad ? 'bad' : undefined} aside={<HealthBadge destination={destination} />}>
      {bad && reason && <Note tone="bad">{reason}</Note>}
      {pausedReason && <Note tone="idle">{pausedReason}</Note>}
      {destination.unconfirmed && <Note tone="warn">{strings.home.unconfirmed}</Note>}
      <Facts
        facts={[
          [strings.routes.to, strings.kinds[kind] ?? kind],
          [strings.home.unhealthySince, since ? <Time key="since" at={since} /> : undefined],
          [
            strings.home.lastSent,
            destination.lastSentAt ? <Time key="sent" at={destination.lastSentAt} /> : strings.common.never,
          ],
          [strings.home.delivered, count(destination.successCount)],
          [strings.home.failedAttempts, count(destination.failureCount)],
        ]}
      />
      <DestinationActions destination={destination} refetch={refetch} />
    </Card>
  );
}

function DestinationActions({ destination, refetch }: CardProps) {
  const may = useMay();
  const names = useNames();
  const { id, health } = destination;
  const [replaying, setReplaying] = useState(false);
  const [changing, setChanging] = useState(false);
  const test = useTestRun(id, refetch);
  const enable = useChange(async () => {
    await ok(api.PATCH('/v1/destinations/{id}', { params: { path: { id } }, body: { enabled: true } }));
    say(strings.home.enabledNow(names.of(destination)));
    refetch();
  });
  const bad = health !== 'healthy';
  return (
    <>
      <TestRun test={test} />
      <ProblemNote problem={enable.problem} />
      <div class="actions card-foot">
        {health === 'disabled' && may('routes:manage') && (
          <Button look="primary" busy={enable.busy} onClick={() => void enable.run()}>
            {strings.home.enable}
          </Button>
        )}
        {may('routes:manage') && health !== 'disabled' && (
          <Button look={bad ? 'primary' : 'plain'} busy={test.busy} onClick={test.start}>
            {bad ? strings.home.testAgain : strings.home.sendTest}
          </Button>
        )}
        {may('deliveries:replay') && destination.failureCount > 0 && (
          <Button onClick={() => setReplaying(true)}>{strings.home.replayFailed}</Button>
        )}
        {may('deliveries:read') && (
          <LinkButton href={href('/deliveries', { destinationId: id })} look="quiet">
            {strings.home.seeDeliveries}
          </LinkButton>
        )}
        {may('routes:manage') && (
          <IconButton
            icon="gear"
            label={strings.destination.title(names.of(destination))}
            onClick={() => setChanging(true)}
          />
        )}
        <CopyButton text={id} small />
      </div>
      {changing && (
        <DestinationSettings destination={destination} onClose={() => setChanging(false)} refetch={refetch} />
      )}
      {replaying && <ReplayFailed destinations={[destination]} onClose={() => setReplaying(false)} onDone={refetch} />}
    </>
  );
}
