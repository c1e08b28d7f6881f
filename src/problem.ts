import { getSystemErrorMap } from 'node:util';

const REASONS: Record<string, string> = {
  EACCES: 'permission denied; check who owns it',
  EPERM: 'not permitted; check who owns it',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENOENT: 'it does not exist',
  ENOTDIR: 'a file is in the way of a folder',
  EDQUOT: 'the disk quota is used up',
  EISDIR: 'a folder is in the way of a file',
};

/**
 * Signs that a terminal obeys or doesn't show: control characters (but tabs and line ends), marks that turn the direction
 * of text, zero-width ones, halves of a pair. Unicode's classes Cc, Cf, Cs, Zl and Zp.
 */
export const INVISIBLE = /(?![\t\r\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Values that look like secrets, and what stands before them. */
const SECRETS = [
  // secret_key_base: "…", "API_TOKEN" => "…", put_env("API_KEY", "…")
  /((?:secret|passw(?:or)?d|token|salt|cookie|credential|(?:api|access|private|encryption|signing)_?key)\w{0,40}["']?\s{0,9}(?:=>|[:=,])\s{0,9}["'])[^"'$\s][^"'\s]{3,400}/gi,
  // ENV API_TOKEN=…
  /((?:secret|passw(?:or)?d|token|cookie|(?:api|access|private|encryption|signing)_?key)\w{0,40}=)[^\s"'$()/,;.-][^\s"'$()/,;]{5,400}/gi,
  // postgres://user:…@host, but not the words of our own advice
  /(:\/\/[^\s:/@"']{0,80}:)(?!PASSWORD@)[^\s@"'$#]{1,200}(?=@)/g,
  // What is long and random
  /(["'])[\w+/=-]{40,400}(?=\1)/g,
  /()\b(?:AKIA|gh[pousr]_|github_pat_|sk_live_|sk_test_|xox[abp]-|eyJ)[\w.-]{16,400}/g,
];

/**
 * Text from outside (a repo, an argument, flyctl) as it may stand on a terminal: signs that it would obey are written out
 * (\\u001b, which is right in JSON as well), and what looks like a secret is masked.
 */
export const printable = (text: string): string =>
  SECRETS.reduce((shown, secret) => shown.replace(secret, '$1********'), text)
    .replaceAll(/\r+(?=\n|$)/g, '')
    .replaceAll(/\r/g, '\\r')
    .replaceAll(INVISIBLE, (signs) =>
      signs.replaceAll(/./gs, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`),
    );

const LONGEST_PROBLEM = 2000;

/** What it quotes may be of any length; the advice stands at the end. */
const short = (text: string): string =>
  text.length > LONGEST_PROBLEM
    ? `${text.slice(0, LONGEST_PROBLEM / 2)}…${text.slice(-LONGEST_PROBLEM / 2)}`
    : text;

/** The only error a user should meet: one line that says what is wrong and what to do. */
export class Problem extends Error {
  override name = 'Problem';

  constructor(message: string) {
    super(short(printable(message).replaceAll('\n', '\\n')));
  }

  /** Turns a file-system error into a Problem; any other error passes through unchanged. */
  static from(error: unknown, what: string): Error {
    if (!(error instanceof Error)) return new Error(String(error));
    const { code, errno } = error as NodeJS.ErrnoException;
    const reason = REASONS[code ?? ''] ?? getSystemErrorMap().get(errno ?? 0)?.[1];
    return reason ? new Problem(`${what}: ${reason}`) : error;
  }
}

/** The message of the Problem that something ends with. */
export function problemOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error.message;
    throw error;
  }
}
