/** The address of a link, if it leads to the web: no script, no file, nothing of this page. */
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
