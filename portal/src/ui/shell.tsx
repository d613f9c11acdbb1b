/** The frame around the pages: navigation, the organisation, sign-out. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { PageName, Theme } from '../api/session';
import { href } from '../lib/router';
import { useSession } from '../lib/session';
import { nextTheme } from '../lib/theme';
import { strings } from '../strings';
import { Button, IconButton, LinkButton } from './button';
import { Icon } from './icon';

const NAVIGATION: [PageName, string][] = [
  ['home', '/'],
  ['routes', '/routes'],
  ['deliveries', '/deliveries'],
  ['events', '/events'],
  ['apps', '/apps'],
  ['organisation', '/organisation'],
];

interface ShellProps {
  path: string;
  children: ComponentChildren;
  onSignOut: () => void;
}

export function Shell({ path, children, onSignOut }: ShellProps) {
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  return (
    <div class="shell">
      <a class="button skip" href="#content">
        {strings.app.skip}
      </a>
      <header class={open ? 'rail open' : 'rail'}>
        <div class="side-head">
          <Logo />
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
        <Navigation path={path} />
        <Foot onSignOut={onSignOut} />
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

function Logo() {
  const { organisation } = useSession();
  return (
    <a class="logo" href={href('/')}>
      <Mark />
      <span>
        {strings.app.name}
        <span class="tenant">{organisation.name}</span>
      </span>
    </a>
  );
}

function Navigation({ path }: { path: string }) {
  const { pages } = useSession();
  const isHere = (to: string) =>
    to === '/' ? path === '/' : path.startsWith(to) || (to === '/apps' && path.startsWith('/webhooks'));
  return (
    <nav class="side-nav" aria-label={strings.app.navigation}>
      {NAVIGATION.filter(([name]) => pages.includes(name)).map(([name, to]) => (
        <a key={name} href={href(to)} aria-current={isHere(to) ? 'page' : undefined}>
          <Icon name={name} />
          {strings.pages[name]}
        </a>
      ))}
    </nav>
  );
}

function Foot({ onSignOut }: { onSignOut: () => void }) {
  const { member, returnUrl, embedded } = useSession();
  const [theme, setTheme] = useState<Theme>((document.documentElement.dataset.theme ?? 'auto') as Theme);
  return (
    <div class="side-foot">
      {returnUrl && /^https?:/.test(returnUrl) && (
        <LinkButton href={returnUrl} look="quiet" icon="leave">
          {strings.app.back}
        </LinkButton>
      )}
      <div class="spread">
        <span class="muted clip" title={strings.app.role[member.role]}>
          {member.email ?? member.username}
        </span>
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
