// A real OpenID provider for the tests: `node server.mjs PORT`. It prints one line when it listens.
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const back = process.argv[3]; // where the gateway takes people back
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'signing-1', use: 'sig', alg: 'RS256' };

const people = {
  agneta: { preferred_username: 'Agneta', groups: ['support'] },
  bertil: { preferred_username: 'Bertil', groups: ['platform'] },
};

const provider = new Provider(issuer, {
  jwks: { keys: [jwk] },
  cookies: { keys: ['for-tests-only'] },
  clients: [
    {
      client_id: 'nightly-report',
      client_secret: 'not-a-secret-here',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
    ...(back
      ? [{ client_id: 'langguard-gateway', client_secret: 'for-tests-only', redirect_uris: [back], response_types: ['code'] }]
      : []),
  ],
  ...(back ? { findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }) } : {}),
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
  conformIdTokenClaims: false,
  extraTokenClaims: () => ({ groups: ['support'], preferred_username: 'Nightly report' }),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: Boolean(back) },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'urn:langguard',
      getResourceServerInfo: (_, resource) => ({
        scope: '',
        audience: resource.replace('urn:', ''),
        accessTokenTTL: 300,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});
provider.listen(port, '127.0.0.1', () => console.log(`listening ${issuer}`));
