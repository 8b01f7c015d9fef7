/** The names of the built files, below the server's address. */
const FILES = /\/(?:assets\/[^/]+|tidings\.js)$/;

/**
 * The path of the server that `page` belongs to. A proxy may serve it below a path, which only the
 * address of the running script tells, unless that comes from another origin.
 */
export function pathOfServer(script: string, page: string): string {
  const { origin, pathname } = new URL(script);
  const isOwn = origin === new URL(page).origin && FILES.test(pathname);
  return isOwn ? pathname.replace(FILES, "/") : "/";
}
