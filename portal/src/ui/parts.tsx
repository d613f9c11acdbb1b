/** Small parts of pages: head, card, time, code, definition list. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { ago, atTime, indented } from '../lib/format';
import { href } from '../lib/router';
import { strings } from '../strings';
import { CopyButton } from './button';
import { Icon } from './icon';
import type { Tone } from './state';

interface HeadProps {
  title: string;
  actions?: ComponentChildren;
  back?: [path: string, label: string];
  children?: ComponentChildren;
}

let visited = false;

/** Heading of a page, which takes the focus when the page is entered. */
export function PageHead({ title, actions, back, children }: HeadProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (visited) heading.current?.focus({ preventScroll: true });
    visited = true;
  }, []);
  useEffect(() => {
    document.title = strings.app.title(title);
  }, [title]);
  return (
    <header class="page-head">
      {back && (
        <nav class="crumbs" aria-label={strings.common.breadcrumb}>
          <Icon name="left" size={14} />
          <a href={href(back[0])}>{back[1]}</a>
        </nav>
      )}
      <div class="page-head-row">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions && <div class="actions">{actions}</div>}
      </div>
      {children && <p class="lead">{children}</p>}
    </header>
  );
}

interface CardProps {
  title?: ComponentChildren;
  children: ComponentChildren;
  tone?: Tone | undefined;
  aside?: ComponentChildren;
  level?: 2 | 3;
  class?: string;
  /** True for one of several of a kind, which may have the same name: it is no landmark. */
  item?: boolean;
}

export function Card({ title, children, tone, aside, level = 2, class: name = '', item }: CardProps) {
  const id = useId();
  const Heading = level === 2 ? 'h2' : 'h3';
  const Frame = item ? 'article' : 'section';
  return (
    <Frame class={`card ${tone ? `edge-${tone}` : ''} ${name}`} aria-labelledby={title ? id : undefined}>
      {title && (
        <header class="card-head">
          <Heading id={id}>{title}</Heading>
          {aside}
        </header>
      )}
      {children}
    </Frame>
  );
}

/** A time by its distance from now; the exact time is in the tooltip and for machines. */
export function Time({ at, exact = false }: { at: string; exact?: boolean }) {
  return (
    <time dateTime={at} title={atTime(at)}>
      {exact ? atTime(at) : ago(at)}
    </time>
  );
}

/** A block of code or of a payload, which can be copied. */
export function Code({ text, label, copy = true }: { text: string; label: string; copy?: boolean }) {
  return (
    <div class="code">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard */}
      <pre tabIndex={0} role="group" aria-label={label}>
        <code>{indented(text)}</code>
      </pre>
      {copy && <CopyButton text={indented(text)} label={strings.common.copy} name={strings.common.copyOf(label)} />}
    </div>
  );
}

export function Facts({ facts }: { facts: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== undefined && value !== '' && value !== false)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** Links between the parts of a page. */
export function Tabs({
  label,
  tabs,
  current,
}: {
  label: string;
  tabs: [path: string, label: string][];
  current: string;
}) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(([path, text]) => (
        <a key={path} href={href(path)} aria-current={path === current ? 'page' : undefined}>
          {text}
        </a>
      ))}
    </nav>
  );
}
