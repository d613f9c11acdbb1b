/** A button that removes something, after a question. */
import { useState } from 'preact/hooks';
import { useChange } from '../lib/query';
import { Button } from './button';
import { Confirm } from './dialog';

interface RemovalProps {
  label: string;
  title: string;
  text: string;
  remove: () => Promise<unknown>;
  quiet?: boolean;
}

export function Removal({ label, title, text, remove, quiet }: RemovalProps) {
  const [asking, setAsking] = useState(false);
  const change = useChange(async () => {
    await remove();
    setAsking(false);
  });
  return (
    <>
      <Button
        look={quiet ? 'quiet' : 'danger'}
        onClick={() => setAsking(true)}
        label={quiet ? `${label}: ${title}` : undefined}
      >
        {label}
      </Button>
      {asking && (
        <Confirm
          title={title}
          confirm={label}
          danger
          busy={change.busy}
          problem={change.problem}
          onConfirm={() => void change.run()}
          onClose={() => setAsking(false)}
        >
          <p>{text}</p>
        </Confirm>
      )}
    </>
  );
}
