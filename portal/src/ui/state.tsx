/** States as words with a colour and a shape, and the states of a page: empty, loading, refused. */
import type { ComponentChildren } from 'preact';
import type { Problem, Schemas } from '../api/client';
import { strings } from '../strings';
import { Button } from './button';
import { Icon, type IconName } from './icon';

export type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'idle';

export function Badge({ tone, icon, children }: { tone: Tone; icon?: IconName; children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`}>
      {icon && <Icon name={icon} size={14} />}
      {children}
    </span>
  );
}

const DELIVERY: Record<Schemas['DeliveryState'], [Tone, IconName]> = {
  delivered: ['good', 'check'],
  failed: ['bad', 'cross'],
  pending: ['busy', 'clock'],
  skipped: ['idle', 'skip'],
};

export function DeliveryBadge({ state }: { state: Schemas['DeliveryState'] }) {
  const [tone, icon] = DELIVERY[state];
  return (
    <Badge tone={tone} icon={icon}>
      {strings.states[state]}
    </Badge>
  );
}

const OUTCOME: Record<Schemas['AttemptOutcome'], [Tone, IconName]> = {
  delivered: ['good', 'check'],
  retried: ['warn', 'warn'],
  failed: ['bad', 'cross'],
};

export function OutcomeBadge({ outcome }: { outcome: Schemas['AttemptOutcome'] }) {
  const [tone, icon] = OUTCOME[outcome];
  return (
    <Badge tone={tone} icon={icon}>
      {strings.outcomes[outcome]}
    </Badge>
  );
}

const CONNECTION: Record<Schemas['ConnectionState'], [Tone, IconName]> = {
  connected: ['good', 'check'],
  paused: ['idle', 'pause'],
  needs_attention: ['bad', 'warn'],
};

export function ConnectionBadge({ state }: { state: Schemas['ConnectionState'] }) {
  const [tone, icon] = CONNECTION[state];
  return (
    <Badge tone={tone} icon={icon}>
      {strings.states[state]}
    </Badge>
  );
}

const HEALTH: Record<Schemas['DestinationHealth'], [Tone, IconName]> = {
  healthy: ['good', 'check'],
  failing: ['bad', 'cross'],
  disabled: ['bad', 'off'],
};

export function HealthBadge({ destination }: { destination: Schemas['Destination'] }) {
  if (destination.pausedReason) {
    return (
      <Badge tone="idle" icon="pause">
        {strings.states.paused}
      </Badge>
    );
  }
  const [tone, icon] = HEALTH[destination.health];
  return (
    <Badge tone={tone} icon={icon}>
      {strings.states[destination.health]}
    </Badge>
  );
}

/** An on or off state in the words of the thing. */
export function EnabledBadge({ enabled }: { enabled: boolean }) {
  return (
    <Badge tone={enabled ? 'good' : 'idle'} icon={enabled ? 'check' : 'off'}>
      {enabled ? strings.states.enabled : strings.states.disabled}
    </Badge>
  );
}

export function Empty({
  title,
  children,
  action,
}: {
  title: string;
  children?: ComponentChildren;
  action?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <p class="muted">{children}</p>}
      {action}
    </div>
  );
}

export function Loading({ label = strings.common.loading, lines = 3 }: { label?: string; lines?: number }) {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">{label}</span>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} class="skeleton" aria-hidden="true" />
      ))}
    </div>
  );
}

/** The problem of a call, by its detail, with its faults of single fields. */
export function ProblemNote({ problem, retry }: { problem: Problem | undefined; retry?: () => void }) {
  if (!problem) return null;
  const forbidden = problem.status === 403;
  return (
    <div class={forbidden ? 'note warn' : 'note bad'} role="alert">
      <Icon name={forbidden ? 'lock' : 'cross'} />
      <div>
        <strong>{forbidden ? strings.common.forbidden : strings.common.problem}</strong>
        <p>{problem.detail}</p>
        {problem.errors && problem.errors.length > 0 && (
          <ul>
            {problem.errors.map(({ pointer, detail }) => (
              <li key={pointer + detail}>
                <code>{pointer}</code> {detail}
              </li>
            ))}
          </ul>
        )}
        {problem.id && <p class="small">{strings.common.problemId(problem.id)}</p>}
        {retry && !forbidden && <Button onClick={retry}>{strings.common.retry}</Button>}
      </div>
    </div>
  );
}

/** A remark with a tone, such as the reason of a state. */
export function Note({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  const icons: Record<Tone, IconName> = { good: 'check', bad: 'cross', warn: 'warn', busy: 'clock', idle: 'skip' };
  return (
    <div class={`note ${tone}`}>
      <Icon name={icons[tone]} />
      <div>{children}</div>
    </div>
  );
}
