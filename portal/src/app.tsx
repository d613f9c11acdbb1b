/** The portal: the door, and the pages behind it. */
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { type Problem, problemIn, useCsrfToken, whenSessionEnds } from './api/client';
import { closeSession, isMember, type PageName, readSession, type Session } from './api/session';
import { forgetNames } from './lib/names';
import { forgetAnswers } from './lib/query';
import { go, type Place, place, usePlace, withQuery } from './lib/router';
import { SessionContext } from './lib/session';
import { applyTheme } from './lib/theme';
import { AppPage } from './pages/app-detail';
import { AppsPage } from './pages/apps';
import { DeliveriesPage } from './pages/deliveries';
import { DeliveryPage } from './pages/delivery';
import { EventPage } from './pages/event';
import { EventsPage } from './pages/events';
import { HomePage } from './pages/home';
import { OPERATOR_PAGES } from './pages/operator';
import { OrganisationPage } from './pages/organisation';
import { RouteEditorPage } from './pages/route-editor';
import { RoutesPage } from './pages/routes';
import { SignInPage } from './pages/sign-in';
import { IncomingWebhookPage } from './pages/webhook-incoming';
import { OutgoingWebhookPage } from './pages/webhook-outgoing';
import { WebhooksPage } from './pages/webhooks';
import { strings } from './strings';
import { LinkButton } from './ui/button';
import { PageHead } from './ui/parts';
import { MemberShell, OperatorShell } from './ui/shell';
import { Empty, Loading, ProblemNote } from './ui/state';
import { Toasts } from './ui/toast';

type Door = 'opening' | { lost: Session | undefined } | Problem | { session: Session };

function useDoor() {
  const [door, setDoor] = useState<Door>('opening');
  const enter = useCallback((session: Session | undefined) => {
    forgetAnswers();
    forgetNames();
    useCsrfToken(session?.csrfToken ?? '');
    if (session) applyTheme(session.theme);
    const lost = (before: Door) => (typeof before === 'object' && 'session' in before ? before.session : undefined);
    setDoor((before) => (session ? { session } : { lost: lost(before) }));
  }, []);
  const read = useCallback(() => {
    readSession().then(enter, (thrown) => setDoor(problemIn(thrown)));
  }, [enter]);
  useEffect(() => {
    whenSessionEnds(() => {
      toSignIn(true);
      enter(undefined);
    });
    read();
  }, [enter, read]);
  const leave = async () => {
    // A session that has ended by itself is closed as well.
    await closeSession().catch(() => undefined);
    go('/sign-in', { replace: true });
    enter(undefined);
  };
  return { door, enter, read, leave };
}

/** Shows the sign-in page, which leads back to where the member was. */
function toSignIn(ended: boolean): void {
  const { path, query } = place();
  if (path === '/sign-in') return;
  const text = query.toString();
  const next = text ? `${path}?${text}` : path;
  go(withQuery('/sign-in', { next: next === '/' ? undefined : next, ended: ended ? '1' : undefined }), {
    replace: true,
  });
}

export function App() {
  const { door, enter, read, leave } = useDoor();
  const here = usePlace();
  const signingIn = here.path === '/sign-in';
  const open = typeof door === 'object' && 'session' in door;
  const closed = typeof door === 'object' && 'lost' in door;
  useEffect(() => {
    if (closed && !signingIn) toSignIn(false);
    if (open && signingIn) go(nextPath(here), { replace: true });
  }, [closed, open, signingIn]);
  return (
    <>
      <Opened door={door} here={here} enter={enter} read={read} leave={leave} />
      <Toasts />
    </>
  );
}

/** Returns the page to show after signing in: one of ours. */
function nextPath({ query }: Place): string {
  const next = query.get('next') ?? '/';
  return next.startsWith('/') && !next.startsWith('//') && !next.startsWith('/sign-in') ? next : '/';
}

interface OpenedProps {
  door: Door;
  here: Place;
  enter: (session: Session) => void;
  read: () => void;
  leave: () => Promise<void>;
}

function Opened({ door, here, enter, read, leave }: OpenedProps) {
  if (door === 'opening') return <Waiting>{<Loading label={strings.app.starting} />}</Waiting>;
  if ('lost' in door) return <SignInPage ended={here.query.has('ended')} lost={door.lost} onOpen={enter} />;
  if (!('session' in door)) return <Waiting>{<ProblemNote problem={door} retry={read} />}</Waiting>;
  const { session } = door;
  if (here.path === '/sign-in') return null;
  const frame = { path: here.path, onSignOut: () => void leave() };
  if (!isMember(session)) {
    return (
      <OperatorShell {...frame} session={session}>
        <OperatorPage key={here.path} here={here} />
      </OperatorShell>
    );
  }
  return (
    <SessionContext.Provider value={session}>
      <MemberShell {...frame} session={session}>
        <Page key={here.path} here={here} pages={session.pages} />
      </MemberShell>
    </SessionContext.Provider>
  );
}

function OperatorPage({ here }: { here: Place }) {
  const make = OPERATOR_PAGES[here.path];
  return make ? make(here) : <Nowhere text={strings.operator.notFoundText} />;
}

function Waiting({ children }: { children: ComponentChildren }) {
  return (
    <main class="sign-in">
      <div class="sign-in-box">{children}</div>
    </main>
  );
}

type Make = (id: string, here: Place) => ComponentChildren;

// The pages by path, with the name by which a session is scoped to them. The first that fits is shown.
const PAGES: [RegExp, PageName, Make][] = [
  [/^\/$/, 'home', (_, here) => <HomePage here={here} />],
  [/^\/routes\/?$/, 'routes', () => <RoutesPage />],
  [/^\/routes\/new$/, 'routes', () => <RouteEditorPage />],
  [/^\/routes\/([^/]+)$/, 'routes', (id) => <RouteEditorPage id={id} />],
  [/^\/deliveries\/?$/, 'deliveries', (_, here) => <DeliveriesPage here={here} />],
  [/^\/deliveries\/([^/]+)$/, 'deliveries', (id) => <DeliveryPage id={id} />],
  [/^\/events\/?$/, 'events', (_, here) => <EventsPage here={here} />],
  [/^\/events\/([^/]+)$/, 'events', (id) => <EventPage id={id} />],
  [/^\/apps\/?$/, 'apps', () => <AppsPage />],
  [/^\/apps\/([^/]+)$/, 'apps', (id) => <AppPage id={id} />],
  [/^\/webhooks\/?$/, 'apps', () => <WebhooksPage />],
  [/^\/webhooks\/incoming\/([^/]+)$/, 'apps', (id) => <IncomingWebhookPage id={id} />],
  [/^\/webhooks\/outgoing\/([^/]+)$/, 'apps', (id) => <OutgoingWebhookPage id={id} />],
  [/^\/organisation(?:\/([^/]+))?$/, 'organisation', (part) => <OrganisationPage part={part} />],
];

function Page({ here, pages }: { here: Place; pages: PageName[] }) {
  for (const [pattern, name, make] of PAGES) {
    const found = pattern.exec(here.path);
    if (!found) continue;
    if (!pages.includes(name)) return <Nowhere text={strings.app.noPage} />;
    return make(decodeURIComponent(found[1] ?? ''), here);
  }
  return <Nowhere text={strings.app.notFoundText} />;
}

function Nowhere({ text }: { text: string }) {
  return (
    <>
      <PageHead title={strings.app.notFound} />
      <Empty title={text} action={<LinkButton href="/portal/">{strings.app.goHome}</LinkButton>} />
    </>
  );
}
