/** The paths of the built files, relative to the server's address. */
const FILES = /\/(?:assets\/[^/]+|tidings\.js)$/;

/**
 * The server's path for `page`. A proxy can serve Tidings below a path, which only the
 * address of the running script reveals, unless the script comes from another origin.
 */
export function pathOfServer(script: string, page: string): string {
  const { origin, pathname } = new URL(script);
  const isOwn = origin === new URL(page).origin && FILES.test(pathname);
  return isOwn ? pathname.replace(FILES, "/") : "/";
}
