/** Short messages on what has happened, which screen readers announce. */
import { useEffect, useState } from 'preact/hooks';
import { strings } from '../strings';
import { Icon } from './icon';

interface Toast {
  id: number;
  text: string;
  bad: boolean;
}

let toasts: Toast[] = [];
let last = 0;
let update = () => {};

/** Shows a message for a few seconds; a bad one stays until it is closed. */
export function say(text: string, { bad = false } = {}): void {
  last += 1;
  const toast = { id: last, text, bad };
  toasts = [...toasts.slice(-3), toast];
  update();
  if (!bad) window.setTimeout(() => drop(toast.id), 6000);
}

function drop(id: number): void {
  toasts = toasts.filter((toast) => toast.id !== id);
  update();
}

export function Toasts() {
  const [, render] = useState(0);
  useEffect(() => {
    update = () => render((turn) => turn + 1);
    return () => {
      update = () => {};
    };
  }, []);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.map(({ id, text, bad }) => (
        <div key={id} class={bad ? 'toast bad' : 'toast'}>
          <Icon name={bad ? 'cross' : 'check'} />
          <span>{text}</span>
          <button type="button" class="icon-button" aria-label={strings.common.close} onClick={() => drop(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
