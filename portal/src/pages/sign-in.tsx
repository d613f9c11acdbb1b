/** Sign-in: by a token that is pasted once, or by the organisation's identity provider. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { openSession, readSignInOptions, type Session } from '../api/session';
import { type Change, useChange, useQuery } from '../lib/query';
import { strings } from '../strings';
import { Button, LinkButton } from '../ui/button';
import { TextField } from '../ui/field';
import { Mark } from '../ui/shell';
import { Note, ProblemNote } from '../ui/state';

interface SignInProps {
  ended: boolean;
  /** The session that has ended, if there was one. */
  lost: Session | undefined;
  onOpen: (session: Session) => void;
}

export function SignInPage({ ended, lost, onOpen }: SignInProps) {
  if (ended && lost?.embedded) return <LinkEnded returnUrl={lost.returnUrl} />;
  return <SignIn ended={ended} onOpen={onOpen} />;
}

/** The end of a session that a product has opened: only the product can open another one. */
function LinkEnded({ returnUrl }: { returnUrl: string | undefined }) {
  return (
    <main class="sign-in">
      <div class="sign-in-box">
        <h1>{strings.app.name}</h1>
        <Note tone="warn">{strings.signIn.linkEnded}</Note>
        {returnUrl && /^https?:/.test(returnUrl) && <LinkButton href={returnUrl}>{strings.app.back}</LinkButton>}
      </div>
    </main>
  );
}

function SignIn({ ended, onOpen }: Omit<SignInProps, 'lost'>) {
  const [token, setToken] = useState('');
  const form = useRef<HTMLFormElement>(null);
  const options = useQuery('sign-in-options', readSignInOptions);
  const open = useChange(openSession);
  useEffect(() => {
    document.title = strings.app.title(strings.signIn.title);
    form.current?.querySelector('input')?.focus();
  }, []);
  const submit = async (event: Event) => {
    event.preventDefault();
    const session = await open.run(token.trim());
    if (session) onOpen(session);
    else form.current?.querySelector('input')?.focus();
  };
  const provider = options.data?.openIdConnect;
  const tokens = options.data?.tokens ?? true;
  return (
    <main class="sign-in">
      <div class="sign-in-box">
        <div class="row">
          <Mark size={32} />
          <h1>{strings.app.name}</h1>
        </div>
        <p class="muted">{strings.signIn.lead}</p>
        {ended && <Note tone="warn">{strings.signIn.ended}</Note>}
        <form ref={form} class="card" onSubmit={(event) => void submit(event)}>
          {provider && (
            <>
              <LinkButton href={provider.url} look="primary" reload>
                {strings.signIn.with(provider.name)}
              </LinkButton>
              {tokens && <p class="divider">{strings.signIn.or}</p>}
            </>
          )}
          {tokens && <TokenPart token={token} setToken={setToken} open={open} primary={!provider} />}
        </form>
        <p class="muted small">{strings.signIn.help}</p>
      </div>
    </main>
  );
}

interface TokenProps {
  token: string;
  setToken: (token: string) => void;
  open: Change<[string], Session>;
  primary: boolean;
}

function TokenPart({ token, setToken, open, primary }: TokenProps) {
  const wrong = open.problem?.status === 401;
  return (
    <>
      <TextField
        label={strings.signIn.token}
        type="password"
        value={token}
        onInput={setToken}
        hint={strings.signIn.tokenHint}
        fault={wrong ? strings.signIn.wrong : undefined}
        required
      />
      {!wrong && <ProblemNote problem={open.problem} />}
      <Button submit look={primary ? 'primary' : 'plain'} busy={open.busy}>
        {strings.signIn.submit}
      </Button>
    </>
  );
}
