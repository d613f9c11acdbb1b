/** The frame around the pages: navigation, whose pages they are, sign-out. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { MemberSession, PageName, Session, Theme } from '../api/session';
import { href } from '../lib/router';
import { nextTheme } from '../lib/theme';
import { strings } from '../strings';
import { Button, IconButton, LinkButton } from './button';
import { Icon, type IconName } from './icon';

const NAVIGATION: [PageName, string][] = [
  ['home', '/'],
  ['routes', '/routes'],
  ['deliveries', '/deliveries'],
  ['events', '/events'],
  ['apps', '/apps'],
  ['organisation', '/organisation'],
];

const OPERATOR: [keyof typeof strings.operator.pages, string, IconName][] = [
  ['organisations', '/', 'organisation'],
  ['backlog', '/backlog', 'clock'],
  ['failing', '/failing', 'warn'],
  ['registry', '/registry', 'apps'],
];

type Link = [path: string, icon: IconName, label: string];

interface FrameProps<S> {
  session: S;
  path: string;
  children: ComponentChildren;
  onSignOut: () => void;
}

/** The frame of an organisation's pages, those that the session includes. */
export function MemberShell({ session, ...frame }: FrameProps<MemberSession>) {
  const { organisation, member, pages } = session;
  const links = NAVIGATION.filter(([name]) => pages.includes(name)).map(([name, to]): Link => {
    return [to, name, strings.pages[name]];
  });
  const who = <span title={strings.app.role[member.role]}>{member.email ?? member.username}</span>;
  return <Shell {...frame} session={session} of={organisation.name} links={links} who={who} />;
}

/** The frame of the operators' pages. */
export function OperatorShell({ session, ...frame }: FrameProps<Session>) {
  const links = OPERATOR.map(([name, to, icon]): Link => [to, icon, strings.operator.pages[name]]);
  return <Shell {...frame} session={session} of={strings.operator.title} links={links} who={session.operator?.name} />;
}

interface ShellProps extends FrameProps<Session> {
  /** Name of the owner of the pages. */
  of: string;
  links: Link[];
  who: ComponentChildren;
}

function Shell({ session, path, of, links, who, children, onSignOut }: ShellProps) {
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  return (
    <div class="shell">
      <a class="button skip" href="#content">
        {strings.app.skip}
      </a>
      <header class={open ? 'rail open' : 'rail'}>
        <div class="side-head">
          <Logo of={of} />
          <div class="menu">
            <button
              type="button"
              class="icon-button"
              aria-label={strings.app.menu}
              aria-expanded={open}
              onClick={() => setOpen(!open)}
            >
              <Icon name={open ? 'close' : 'menu'} />
            </button>
          </div>
        </div>
        <Navigation path={path} links={links} />
        <Foot session={session} who={who} onSignOut={onSignOut} />
      </header>
      <main class="main" id="content" tabIndex={-1}>
        <div class="main-inner">{children}</div>
      </main>
    </div>
  );
}

export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect class="logo-mark" width="32" height="32" rx="7" />
      <g class="logo-line">
        <circle cx="9" cy="16" r="3.6" />
        <circle cx="23" cy="16" r="3.6" />
        <path d="M12.6 16h6.8" />
      </g>
    </svg>
  );
}

function Logo({ of }: { of: string }) {
  return (
    <a class="logo" href={href('/')}>
      <Mark />
      <span>
        {strings.app.name}
        <span class="tenant">{of}</span>
      </span>
    </a>
  );
}

function Navigation({ path, links }: { path: string; links: Link[] }) {
  const isHere = (to: string) =>
    to === '/' ? path === '/' : path.startsWith(to) || (to === '/apps' && path.startsWith('/webhooks'));
  return (
    <nav class="side-nav" aria-label={strings.app.navigation}>
      {links.map(([to, icon, label]) => (
        <a key={to} href={href(to)} aria-current={isHere(to) ? 'page' : undefined}>
          <Icon name={icon} />
          {label}
        </a>
      ))}
    </nav>
  );
}

interface FootProps {
  session: Session;
  who: ComponentChildren;
  onSignOut: () => void;
}

function Foot({ session, who, onSignOut }: FootProps) {
  const { returnUrl, embedded } = session;
  const [theme, setTheme] = useState<Theme>((document.documentElement.dataset.theme ?? 'auto') as Theme);
  return (
    <div class="side-foot">
      {returnUrl && /^https?:/.test(returnUrl) && (
        <LinkButton href={returnUrl} look="quiet" icon="leave">
          {strings.app.back}
        </LinkButton>
      )}
      <div class="spread">
        <span class="muted clip">{who}</span>
        <span class="row">
          <IconButton
            icon="sun"
            label={`${strings.app.theme}: ${strings.app.themes[theme]}`}
            onClick={() => setTheme(nextTheme())}
          />
        </span>
      </div>
      {!embedded && (
        <Button look="quiet" icon="leave" onClick={onSignOut}>
          {strings.app.signOut}
        </Button>
      )}
    </div>
  );
}
