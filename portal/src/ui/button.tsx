/** Buttons, and links that look like them. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { strings } from '../strings';
import { Icon, type IconName } from './icon';
import { say } from './toast';

export type Look = 'plain' | 'primary' | 'danger' | 'quiet' | 'quiet danger';

interface ButtonProps {
  children: ComponentChildren;
  onClick?: (event: MouseEvent) => void;
  look?: Look;
  icon?: IconName | undefined;
  busy?: boolean;
  disabled?: boolean;
  submit?: boolean;
  label?: string | undefined;
  pressed?: boolean | undefined;
}

export function Button({
  children,
  onClick,
  look = 'plain',
  icon,
  busy = false,
  disabled,
  submit,
  ...rest
}: ButtonProps) {
  return (
    <button
      type={submit ? 'submit' : 'button'}
      class={`button ${look}`}
      // A busy button keeps the focus.
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      aria-label={rest.label}
      aria-pressed={rest.pressed}
      disabled={disabled}
      onClick={(event) => (busy ? event.preventDefault() : onClick?.(event))}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** A button that is an icon alone; its label is its name and its tooltip. */
export function IconButton(props: { icon: IconName; label: string; onClick: () => void; disabled?: boolean }) {
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={props.label}
      title={props.label}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
    </button>
  );
}

interface LinkButtonProps {
  href: string;
  children: ComponentChildren;
  look?: Look;
  icon?: IconName;
  reload?: boolean;
}

export function LinkButton({ href, children, look = 'plain', icon, reload }: LinkButtonProps) {
  return (
    <a class={`button ${look}`} href={href} data-reload={reload || undefined}>
      {icon && <Icon name={icon} />}
      {children}
    </a>
  );
}

interface CopyProps {
  text: string;
  label?: string;
  name?: string;
  /** True for an icon alone. */
  small?: boolean;
}

/** Copies a text, such as an id, which the pages do not show. */
export function CopyButton({ text, label = strings.common.copyId, name, small }: CopyProps) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    say(strings.common.copied);
    window.setTimeout(() => setCopied(false), 1500);
  };
  const icon = copied ? 'check' : 'copy';
  if (small) return <IconButton icon={icon} label={name ?? label} onClick={() => void copy()} />;
  return (
    <button type="button" class="button quiet" onClick={() => void copy()} aria-label={name}>
      <Icon name={icon} />
      {label}
    </button>
  );
}
