import { type Dockerfile, last, type Step, startLine } from './dockerfile-model.ts';
import { DOCKERFILE } from './requirements.ts';
import { type Rule, rulesFor, type Weight } from './rule.ts';

const r14 = rulesFor(DOCKERFILE, 'R1.4');

const SECRET =
  /(SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIALS?|COOKIE|DATABASE_URL|_DSN)/;
const PUBLIC = /PUBLIC|PUBLISHABLE|_ID$|_FILE$|_PATH$|FINGERPRINT|SITE_?KEY/;

/** A variable whose name says that nobody may read its value. */
export const isSecretName = (name: string): boolean =>
  SECRET.test(name.toUpperCase()) && !PUBLIC.test(name.toUpperCase());

/** An address with a password in it. */
export const hasPassword = (value: string): boolean => /:\/\/[^/:@\s]*:[^@\s]+@/.test(value);

const ROOT = /^(root|0)(:|$)/;
const isRoot = ({ final }: Dockerfile): boolean => ROOT.test(last(final, 'USER')?.text ?? 'root');

const CHOWN = /\bchown\s+(-R\S*\s+(?!root|0\b)|(?!root|0\b)\S+\s+\/?app\/?(\s|$))/;

/** Steps that give the code to another user: `COPY --from=builder --chown=nobody`, `chown -R nobody /app`. */
const givenAway = ({ final }: Dockerfile): Step[] =>
  final.steps.filter(({ from, flags, commands }) =>
    from ? /--chown=(?!root|0\b)/.test(flags) : commands.some((command) => CHOWN.test(command)),
  );

/**
 * ARGs and ENVs that hold secrets. What is in the image is read by everybody; an ARG's value comes with each build, and
 * a short word such as "nokey" is no secret of anybody's.
 */
const secrets = ({ final, steps }: Dockerfile) =>
  steps.flatMap(({ keyword, line, pairs }) =>
    pairs
      .filter(
        ([name, value]) => isSecretName(name) && (!name.endsWith('_URL') || hasPassword(value)),
      )
      .map(([name, value]) => {
        const shipped = final.steps.some((step) => step.line === line);
        const real = keyword === 'ARG' || value.length >= 16 || value.includes('$');
        const weight: Weight = shipped && real ? 'must' : 'should';
        return { line, weight, keyword, name };
      }),
  );

/** R1.4: a user that is not root, code that it can't change, a place where it may write, and no secrets inside. */
export const userRules: readonly Rule[] = [
  r14.should(
    (file) => isRoot(file) && (last(file.final, 'USER') ?? { line: startLine(file) }),
    'the app runs as root',
    'here, write: USER 65534:65534',
  ),
  r14.should(
    givenAway,
    'the running app can change its own code, which it owns',
    'remove --chown or this chown, and add: ENV RELEASE_TMP=/tmp',
  ),
  r14.must(
    (file) => {
      const may = file.final.env.has('RELEASE_TMP') || givenAway(file).length || isRoot(file);
      return !may && last(file.final, 'USER');
    },
    'the release writes to its tmp folder at boot, which this user may not',
    'before this line, add: ENV RELEASE_TMP=/tmp',
  ),
  r14.must(
    secrets,
    ({ keyword, name }) => `${keyword} ${name} is kept where others can read it`,
    ({ name }) =>
      `remove it; at run time: fly secrets set ${name}=…; while building: RUN --mount=type=secret,id=${name} …`,
  ),
  r14.advice(
    ({ steps }) =>
      steps.filter(({ keyword, text }) => keyword === 'ENV' && /^\w+\s+[^=\s]/.test(text)),
    'ENV with a space is the old form, which Docker warns of',
    ({ text }) => `write: ENV ${text.replace(/^(\w+)\s+"?([\s\S]*?)"?\s*$/, '$1="$2"')}`,
  ),
];
