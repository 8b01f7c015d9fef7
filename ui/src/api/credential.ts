/**
 * Returns an access token, and a fresh one on each later call; `null` if no user is signed in.
 * Without this callback, requests use the session cookie.
 */
export type GetToken = () => string | null | Promise<string | null>;

/** The server's address and the credentials for it. */
export interface Access {
  /** The server's address, without a trailing slash. */
  readonly server: string;
  readonly getToken?: GetToken | undefined;
}

/** The most recent token, for requests that cannot wait for a new one. */
const lastTokens = new WeakMap<GetToken, string | null>();

/** Returns a token and remembers it. */
export async function tokenOf(getToken: GetToken): Promise<string | null> {
  const token = await getToken();
  lastTokens.set(getToken, token);
  return token;
}

/** The headers and options that authenticate a request to `access`. */
export async function authorized(access: Access, init: RequestInit): Promise<RequestInit> {
  const { getToken } = access;
  if (!getToken) {
    return { ...init, credentials: "same-origin" };
  }
  // A closing page cannot wait for a new token.
  const token = init.keepalive ? (lastTokens.get(getToken) ?? null) : await tokenOf(getToken);
  const headers = new Headers(init.headers);
  if (token) {
    headers.set("authorization", `Bearer ${token}`);
  }
  return { ...init, headers, credentials: "omit" };
}
