/** A file that has CRLF line endings keeps them. */
export function sameEndings(before: string | undefined, after: string): string {
  return before?.includes('\r\n') ? after.replaceAll(/\r?\n/g, '\r\n') : after;
}
