/** The way from nothing to the first message that arrives, in three steps. */
import type { ComponentChildren } from 'preact';
import type { Schemas } from '../../api/client';
import { href } from '../../lib/router';
import { useMay } from '../../lib/session';
import { strings } from '../../strings';
import { LinkButton } from '../../ui/button';
import { Icon } from '../../ui/icon';
import { Card } from '../../ui/parts';
import { ConnectButtons } from './connection';

interface StepsProps {
  connections: Schemas['Connection'][];
  destinations: Schemas['Destination'][];
  routes: Schemas['Route'][];
}

function reached({ connections, destinations, routes }: StepsProps) {
  return {
    connected: connections.length > 0,
    routed: routes.some(({ managedBy }) => !managedBy),
    arrived: destinations.some(({ successCount }) => successCount > 0),
  };
}

/** Returns true once every step is done. */
export function isReady(props: StepsProps): boolean {
  return Object.values(reached(props)).every(Boolean);
}

export function Steps(props: StepsProps) {
  const { connections } = props;
  const may = useMay();
  const { connected, routed, arrived } = reached(props);
  const words = strings.home.steps;
  return (
    <Card title={strings.home.start}>
      <ol class="steps">
        <Step number={1} title={words.connect} text={words.connectText} done={connected}>
          <ConnectButtons connections={connections} />
        </Step>
        <Step number={2} title={words.route} text={words.routeText} done={routed}>
          {!routed && may('routes:manage') && (
            <div class="actions">
              <LinkButton href={href('/routes/new')} look={connected ? 'primary' : 'plain'}>
                {strings.routes.new}
              </LinkButton>
            </div>
          )}
        </Step>
        <Step number={3} title={words.test} text={words.testText} done={arrived} />
      </ol>
    </Card>
  );
}

interface StepProps {
  number: number;
  title: string;
  text: string;
  done: boolean;
  children?: ComponentChildren;
}

function Step({ number, title, text, done, children }: StepProps) {
  return (
    <li class={done ? 'done' : undefined}>
      <span class="step-mark" aria-hidden="true">
        {done ? <Icon name="check" /> : number}
      </span>
      <div>
        <p class="step-title">
          {title}
          {done && <span class="visually-hidden"> ({strings.home.steps.done})</span>}
        </p>
        <p class="muted">{text}</p>
        {children}
      </div>
    </li>
  );
}
