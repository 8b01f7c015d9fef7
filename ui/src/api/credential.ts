/**
 * Gives a token for the server, and a fresh one when it is asked again; `null` when nobody is signed in.
 * Without such a callback the session's cookie counts.
 */
export type GetToken = () => string | null | Promise<string | null>;

/** Where a server is and how it is told who asks. */
export interface Access {
  /** The server's address, without a slash at its end. */
  readonly server: string;
  readonly getToken?: GetToken | undefined;
}

/** The token that was given last, for requests that cannot wait for one. */
const lastTokens = new WeakMap<GetToken, string | null>();

/** Gives a token, and remembers it. */
export async function tokenOf(getToken: GetToken): Promise<string | null> {
  const token = await getToken();
  lastTokens.set(getToken, token);
  return token;
}

/** What a request of `access` needs to be let in. */
export async function authorized(access: Access, init: RequestInit): Promise<RequestInit> {
  const { getToken } = access;
  if (!getToken) {
    return { ...init, credentials: "same-origin" };
  }
  // A page that goes away does not live to see a token come.
  const token = init.keepalive ? (lastTokens.get(getToken) ?? null) : await tokenOf(getToken);
  const headers = new Headers(init.headers);
  if (token) {
    headers.set("authorization", `Bearer ${token}`);
  }
  return { ...init, headers, credentials: "omit" };
}
