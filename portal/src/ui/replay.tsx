/** Replay of everything that failed for a destination in a period: counted first, then confirmed. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../api/client';
import { useNames } from '../lib/names';
import { PERIODS, sinceOf } from '../lib/period';
import { useChange, useQuery } from '../lib/query';
import { strings } from '../strings';
import { Confirm } from './dialog';
import { SelectField } from './field';
import { Loading, ProblemNote } from './state';
import { say } from './toast';

interface ReplayProps {
  destinations: Schemas['Destination'][];
  destinationId?: string | undefined;
  onClose: () => void;
  onDone: () => void;
}

export function ReplayFailed({ destinations, destinationId, onClose, onDone }: ReplayProps) {
  const names = useNames();
  const [to, setTo] = useState(destinationId ?? destinations[0]?.id ?? '');
  const [period, setPeriod] = useState('day');
  const [now] = useState(() => Date.now());
  const body = { destinationId: to, since: sinceOf(period, now) };
  const counted = useQuery(
    `replay ${to} ${period} ${now}`,
    () => ok(api.POST('/v1/deliveries/replay', { body: { ...body, dryRun: true } })),
    { enabled: to !== '' },
  );
  const replay = useChange(async () => {
    const { count } = await ok(api.POST('/v1/deliveries/replay', { body }));
    say(strings.deliveries.replayedAll(count));
    onClose();
    onDone();
  });
  const count = counted.data?.count;
  return (
    <Confirm
      title={strings.deliveries.replayTitle}
      confirm={strings.deliveries.replayN(count ?? 0)}
      disabled={!count}
      busy={replay.busy}
      problem={replay.problem}
      onConfirm={() => void replay.run()}
      onClose={onClose}
    >
      <p class="muted">{strings.deliveries.replayText}</p>
      <SelectField
        label={strings.deliveries.destination}
        value={to}
        options={destinations.map((destination) => [
          destination.id,
          `${names.of(destination)} (${strings.kinds[destination.kind] ?? destination.kind})`,
        ])}
        onChange={setTo}
      />
      <SelectField label={strings.deliveries.since} value={period} options={PERIODS} onChange={setPeriod} />
      <ProblemNote problem={counted.problem} />
      {counted.loading && <Loading lines={1} />}
      {count !== undefined && (
        <p role="status" class="strong">
          {strings.deliveries.replayCount(count)}
        </p>
      )}
    </Confirm>
  );
}
