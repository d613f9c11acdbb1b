/** A secret that is fetched when somebody asks for it, and can be replaced. */
import { useState } from 'preact/hooks';
import { useChange } from '../lib/query';
import { strings } from '../strings';
import { Button, CopyButton } from './button';
import { Confirm } from './dialog';
import { ProblemNote } from './state';
import { say } from './toast';

interface SecretProps {
  label: string;
  read: () => Promise<string>;
  rotate?: (() => Promise<unknown>) | undefined;
}

export function SecretValue({ label, read, rotate }: SecretProps) {
  const [value, setValue] = useState<string | undefined>();
  const [asking, setAsking] = useState(false);
  const show = useChange(async () => setValue(await read()));
  const replace = useChange(async () => {
    await rotate?.();
    setAsking(false);
    setValue(await read());
    say(strings.secrets.replaced(label));
  });
  return (
    <div class="stack tight">
      <div class="spread">
        <span class="strong">{label}</span>
        <span class="actions">
          <Button busy={show.busy} onClick={() => (value === undefined ? void show.run() : setValue(undefined))}>
            {value === undefined ? strings.common.show : strings.common.hide}
          </Button>
          {rotate && <Button onClick={() => setAsking(true)}>{strings.secrets.replace}</Button>}
        </span>
      </div>
      {value !== undefined && (
        <div class="row">
          <code class="chip">{value}</code>
          <CopyButton text={value} label={strings.common.copy} name={strings.common.copyOf(label)} />
        </div>
      )}
      <ProblemNote problem={show.problem} />
      {asking && (
        <Confirm
          title={strings.secrets.replaceTitle(label)}
          confirm={strings.secrets.replace}
          danger
          busy={replace.busy}
          problem={replace.problem}
          onConfirm={() => void replace.run()}
          onClose={() => setAsking(false)}
        >
          <p>{strings.secrets.replaceText}</p>
        </Confirm>
      )}
    </div>
  );
}
