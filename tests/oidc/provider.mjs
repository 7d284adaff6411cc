// An identity provider for the sign-in tests: npm's certified `oidc-provider` with a few people, PKCE required.
//
//   node provider.mjs PORT REDIRECT_URI
//
// Prints one JSON line when it listens ({"ready": true, "issuer": ...}) and one per authorization request, so that a test
// can see what the portal asked for. Every person's password is "correct horse". Ends with its standard input.

import { generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(new URL('../node/package.json', import.meta.url));
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);

const port = Number(process.argv[2]);
const redirectUri = process.argv[3];
const issuer = `http://127.0.0.1:${port}`;
const PASSWORD = 'correct horse';

// The subject is not the login: the portal must go by what the provider vouches for, not by what somebody typed.
const people = new Map(
  [
    ['rosa', 'sub-rosa-7f3k', 'Rosa Delgado'],
    ['marcus', 'sub-marcus-2c9d', 'Marcus Webb'],
    ['stranger', 'sub-stranger-0000', 'Sam Stranger'],
    ['leaver', 'sub-leaver-5e1a', 'Lee Leaver'],
  ].map(([login, sub, name]) => [sub, { login, sub, name, email: `${login}@example.org` }]),
);

const signingKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const page = (title, body) => `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>${title}</title><body><h1>${title}</h1>${body}</body></html>`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'portal',
      client_secret: 'a-client-secret-of-the-tests-only-0123456789',
      redirect_uris: [redirectUri],
      post_logout_redirect_uris: [redirectUri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ],
  pkce: { required: () => true },
  cookies: { keys: ['a-cookie-key-of-the-tests-only'] },
  jwks: { keys: [{ ...signingKey, use: 'sig', alg: 'RS256', kid: 'tests' }] },
  claims: { openid: ['sub'], email: ['email'], profile: ['name'] },
  conformIdTokenClaims: false, // as the large providers do: name and e-mail stand in the id token
  findAccount: (_ctx, id) => {
    const person = people.get(id);
    return person && { accountId: id, claims: () => ({ sub: id, name: person.name, email: person.email }) };
  },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = page('Sign out', `${form}<button type="submit" form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>`);
      },
    },
  },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  // The portal is the city's own program: nobody is asked whether it may see their name.
  loadExistingGrant: async (ctx) => {
    const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid email profile');
    await grant.save();
    return grant;
  },
  ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 3600, IdToken: 3600, Interaction: 600, Session: 3600 },
});

provider.use(async (ctx, next) => {
  if (ctx.path === '/auth') {
    const { client_id, code_challenge, code_challenge_method, nonce, prompt, scope, state } = ctx.query;
    console.log(JSON.stringify({ auth: { client_id, code_challenge, code_challenge_method, nonce, prompt, scope, state } }));
  }
  if (!ctx.path.startsWith('/interaction/')) return next();
  const { uid, params } = await provider.interactionDetails(ctx.req, ctx.res);
  if (ctx.method === 'GET') {
    ctx.body = page('City sign-in', `
      <form method="post" action="/interaction/${uid}">
        <label>Login <input name="login" autofocus></label>
        <label>Password <input name="password" type="password"></label>
        <button type="submit">Continue</button>
      </form>`);
    return undefined;
  }
  let body = '';
  for await (const chunk of ctx.req) body += chunk;
  const answer = new URLSearchParams(body);
  const person = [...people.values()].find((each) => each.login === answer.get('login'));
  if (!person || answer.get('password') !== PASSWORD) {
    ctx.status = 401;
    ctx.body = page('Wrong login or password', `<a href="/interaction/${uid}">Try again</a> (${params.client_id})`);
    return undefined;
  }
  await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: person.sub } }, { mergeWithLastSubmission: false });
  ctx.respond = false;
  return undefined;
});

const server = provider.listen(port, '127.0.0.1', () => console.log(JSON.stringify({ ready: true, issuer })));

// Whoever started this holds the other end of standard input: when that process is gone, so is the provider.
process.stdin.resume();
process.stdin.on('end', () => {
  server.closeAllConnections();
  server.close(() => process.exit(0));
});
