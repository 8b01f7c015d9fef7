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

/** What a request of `access` needs to be let in. */
export async function authorized(access: Access, init: RequestInit): Promise<RequestInit> {
  if (!access.getToken) {
    return { ...init, credentials: "same-origin" };
  }
  const token = await access.getToken();
  const headers = new Headers(init.headers);
  if (token) {
    headers.set("authorization", `Bearer ${token}`);
  }
  return { ...init, headers, credentials: "omit" };
}
