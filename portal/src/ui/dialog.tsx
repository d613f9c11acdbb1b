/** Dialogs: the browser's own, which keep the focus inside and close with Escape. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import type { Problem } from '../api/client';
import { strings } from '../strings';
import { Button, IconButton } from './button';
import { ProblemNote } from './state';

interface DialogProps {
  title: string;
  children: ComponentChildren;
  onClose: () => void;
  actions?: ComponentChildren;
  wide?: boolean;
}

export function Dialog({ title, children, onClose, actions, wide }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    element.current?.showModal();
    return () => before?.focus?.();
  }, []);
  return (
    <dialog ref={element} class={wide ? 'wide' : undefined} aria-labelledby={id} onClose={onClose}>
      <header class="dialog-head">
        <h2 id={id}>{title}</h2>
        <IconButton icon="close" label={strings.common.close} onClick={() => element.current?.close()} />
      </header>
      <div class="dialog-body">{children}</div>
      {actions && <footer class="dialog-foot">{actions}</footer>}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  children: ComponentChildren;
  confirm: string;
  danger?: boolean;
  busy: boolean;
  disabled?: boolean;
  problem: Problem | undefined;
  onConfirm: () => void;
  onClose: () => void;
}

/** A question before something that cannot be taken back. */
export function Confirm(props: ConfirmProps) {
  const actions = (
    <>
      <Button onClick={props.onClose}>{strings.common.cancel}</Button>
      <Button
        look={props.danger ? 'danger' : 'primary'}
        busy={props.busy}
        disabled={props.disabled ?? false}
        onClick={props.onConfirm}
      >
        {props.confirm}
      </Button>
    </>
  );
  return (
    <Dialog title={props.title} onClose={props.onClose} actions={actions}>
      {props.children}
      <ProblemNote problem={props.problem} />
    </Dialog>
  );
}
