import type { ErrorBody, ErrorCode } from "./schema.js";

/** A failed API request. */
export class ApiError extends Error {
  /** The HTTP status, or 0 if there was no response. */
  readonly status: number;
  /** The server's error code, or `unreachable`. */
  readonly code: ErrorCode | "unreachable" | "unreadable";
  /** The suggested remedy. */
  readonly remedies: readonly string[];

  constructor(
    message: string,
    status: number,
    code: ErrorCode | "unreachable" | "unreadable",
    remedies: readonly string[] = [],
  ) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.remedies = remedies;
  }

  /** Whether a retry of the same request can succeed. */
  get isPassing(): boolean {
    const { status } = this;
    return status === 0 || status === 408 || status === 429 || status >= 500;
  }

  /** Whether the request needs a new token or a sign-in. */
  get isSignedOut(): boolean {
    return this.status === 401;
  }
}

/** Reads the error from a response. */
export async function errorOf(response: Response): Promise<ApiError> {
  let body: Partial<ErrorBody>;
  try {
    body = (await response.json()) as Partial<ErrorBody>;
  } catch {
    body = {};
  }
  return new ApiError(
    body.error ?? `${response.status} ${response.statusText}`,
    response.status,
    body.code ?? "unreadable",
    body.suggestedRemediation ?? [],
  );
}
