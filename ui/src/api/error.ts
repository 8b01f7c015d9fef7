import type { ErrorBody, ErrorCode } from "./schema.js";

/** Why a server did not do what it was asked for. */
export class ApiError extends Error {
  /** The status of the answer; 0 where there was none. */
  readonly status: number;
  /** The server's name for it, or `unreachable`. */
  readonly code: ErrorCode | "unreachable" | "unreadable";
  /** What to do about it. */
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

  /** Whether the same request may succeed later. */
  get isPassing(): boolean {
    const { status } = this;
    return status === 0 || status === 408 || status === 429 || status >= 500;
  }

  /** Whether it needs a new token, or a sign-in. */
  get isSignedOut(): boolean {
    return this.status === 401;
  }
}

/** The error that an answer tells of. */
export async function errorOf(answer: Response): Promise<ApiError> {
  let body: Partial<ErrorBody>;
  try {
    body = (await answer.json()) as Partial<ErrorBody>;
  } catch {
    body = {};
  }
  return new ApiError(
    body.error ?? `${answer.status} ${answer.statusText}`,
    answer.status,
    body.code ?? "unreadable",
    body.suggestedRemediation ?? [],
  );
}
