/** Returns a link's address if it is an absolute web address; `undefined` for scripts, files and fragments. */
export function webAddress(text: unknown): string | undefined {
  if (typeof text !== "string" || !/^https?:\/\//i.test(text.trim())) {
    return undefined;
  }
  try {
    const address = new URL(text.trim());
    return address.protocol === "https:" || address.protocol === "http:" ? address.href : undefined;
  } catch {
    return undefined;
  }
}
