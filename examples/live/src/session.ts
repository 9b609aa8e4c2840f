import { Refused } from './failures.js';
import type { Server } from './server.js';

/** Who signs in. */
export interface Person {
  workspace: string;
  email: string;
  password: string;
}

/** A server that somebody is signed in to. */
export interface Session extends Server {
  /** Ends the session. */
  signOut(): Promise<void>;
}

interface Tokens {
  accessToken: string;
  refreshToken: string;
  accessTokenExpiresAt: string;
}

const TOKENS = 'accessToken refreshToken accessTokenExpiresAt';
const SIGN_IN = `mutation($input: SignInInput!) { answer: signIn(input: $input) { ${TOKENS} } }`;
const REFRESH = `mutation($input: RefreshSessionInput!) { answer: refreshSession(input: $input) { ${TOKENS} } }`;
const SIGN_OUT = 'mutation($input: SignOutInput!) { answer: signOut(input: $input) { __typename } }';

/** A token with less than this left is exchanged: a socket is warned a minute before. */
const LEFT = 90_000;

/** Signs in, for as long as tokens are asked for: each is exchanged for a newer one before it ends. */
export async function signIn(url: string, person: Person): Promise<Session> {
  let tokens = await send<Tokens>(url, SIGN_IN, person);
  let exchanging: Promise<void> | undefined;

  async function refresh(): Promise<void> {
    tokens = await send(url, REFRESH, { refreshToken: tokens.refreshToken });
  }

  return {
    url,
    async token() {
      if (Date.parse(tokens.accessTokenExpiresAt) - Date.now() < LEFT) {
        // A refresh token works once, so all who ask now wait for the same exchange.
        exchanging ??= refresh().finally(() => (exchanging = undefined));
        await exchanging;
      }
      return tokens.accessToken;
    },
    async signOut() {
      await send(url, SIGN_OUT, { refreshToken: tokens.refreshToken });
    },
  };
}

async function send<Answer>(url: string, query: string, input: object): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { input } }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Refused(errors);
  return data.answer;
}
