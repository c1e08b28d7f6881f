import { getSystemErrorMap } from 'node:util';

/**
 * Characters that a terminal obeys or doesn't show: control characters (but tabs and line ends), marks that turn the
 * direction of text, zero-width ones, lone surrogates. Unicode's classes Cc, Cf, Cs, Zl and Zp.
 */
export const INVISIBLE = /(?![\t\r\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const SECRET_WORDS =
  'secret|passw(?:or)?d|token|cookie|(?:api|access|private|encryption|signing)_?key';

/** Values that look like secrets; the first group is what stands before them. Repetitions are bounded to stay fast. */
const SECRETS = [
  // secret_key_base: "…", "API_TOKEN" => "…", put_env("API_KEY", "…")
  new RegExp(
    String.raw`((?:${SECRET_WORDS}|salt|credential)\w{0,40}["']?\s{0,9}(?:=>|[:=,])\s{0,9}["'])[^"'$\s][^"'\s]{3,400}`,
    'gi',
  ),
  // ENV API_TOKEN=…
  new RegExp(String.raw`((?:${SECRET_WORDS})\w{0,40}=)[^\s"'$()/,;.-][^\s"'$()/,;]{5,400}`, 'gi'),
  // postgres://user:…@host, but not ecto://USER:PASSWORD@HOST of our own advice
  /(:\/\/[^\s:/@"']{0,80}:)(?!PASSWORD@)[^\s@"'$#]{1,200}(?=@)/g,
  // "…" of 40 or more random characters
  /(["'])[\w+/=-]{40,400}(?=\1)/g,
  // AKIA…, ghp_…, eyJ…: keys of AWS, GitHub, Stripe and Slack, JSON web tokens
  /()\b(?:AKIA|gh[pousr]_|github_pat_|sk_live_|sk_test_|xox[abp]-|eyJ)[\w.-]{16,400}/g,
];

/**
 * Text from outside (a repo, an argument, flyctl) as it may be printed on a terminal: characters that it would obey are
 * written out (\\u001b, as JSON does), and what looks like a secret is masked.
 */
export const printable = (text: string): string =>
  masked(text)
    .replaceAll(/\r+(?=\n|$)/g, '')
    .replaceAll('\r', '\\r')
    .replaceAll(INVISIBLE, escapeUnits);

/** The name of a variable, SHOP_TOKEN, which is no secret. */
const VARIABLE = /^[A-Z][A-Z\d]*(_[A-Z]+)+$/;

const masked = (text: string): string =>
  SECRETS.reduce(
    (shown, secret) =>
      shown.replace(secret, (found: string, before: string) =>
        VARIABLE.test(found.slice(before.length)) ? found : `${before}********`,
      ),
    text,
  );

/** JSON of a value as it may be printed: a secret is masked in each text by itself, never across two of them. */
export const printableJson = (value: unknown): string =>
  JSON.stringify(
    value,
    (_, item) => (typeof item === 'string' ? masked(item) : item),
    2,
  ).replaceAll(INVISIBLE, escapeUnits);

/** The UTF-16 code units of a character as \\uXXXX. */
const escapeUnits = (character: string): string =>
  character.replaceAll(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The only error that a user should meet: one line that says what is wrong and what to do. */
export class Problem extends Error {
  override name = 'Problem';

  constructor(message: string) {
    super(printable(message).replaceAll('\n', '\\n'));
  }

  /** Turns a file-system error into a Problem; any other error passes through unchanged. */
  static from(error: unknown, what: string): Error {
    if (!(error instanceof Error)) return new Error(String(error));
    const reason = getSystemErrorMap().get((error as NodeJS.ErrnoException).errno ?? 0)?.[1];
    return reason ? new Problem(`${what}: ${reason}`) : error;
  }
}

/** The message of the Problem that `run` throws; undefined where it throws none. */
export function problemOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error.message;
    throw error;
  }
}
