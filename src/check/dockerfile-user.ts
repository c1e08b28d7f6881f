import {
  type Dockerfile,
  flag,
  last,
  type Step,
  sourceStage,
  startLine,
} from './dockerfile-model.ts';
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
const isRoot = ({ final }: Dockerfile): boolean =>
  ROOT.test(last(final, 'USER')?.text.trim() ?? 'root');

/** Steps that give the code to another user: `COPY --from=builder --chown=nobody`, `chown -R nobody /app`. */
const givenAway = (file: Dockerfile): Step[] =>
  file.final.steps.filter((step) => {
    if (sourceStage(file, step)) return !ROOT.test(flag(step, 'chown') ?? 'root');
    const chowns = step.commands.filter(
      ([command, ...rest]) =>
        command === 'chown' && rest.some((word) => /^-R|^\/?app\/?$/.test(word)),
    );
    return step.keyword === 'RUN' && chowns.some((words) => !words.some((word) => ROOT.test(word)));
  });

/**
 * ARGs and ENVs that hold secrets. What is in the image is read by everybody; an ARG's value comes with each build, and
 * a short word such as "nokey" is no secret of anybody's.
 */
const secrets = ({ final, stages }: Dockerfile) =>
  stages
    .flatMap(({ own }) => own)
    .flatMap((step) => step.pairs.map(([name, value]) => ({ ...step, name, value })))
    .filter(({ name, value }) =>
      name.endsWith('_URL') ? isSecretName(name) && hasPassword(value) : isSecretName(name),
    )
    .map(({ keyword, line, name, value }) => {
      const shipped = final.steps.some((step) => step.line === line);
      const real = keyword === 'ARG' || value.length >= 16 || value.includes('$');
      const weight: Weight = shipped && real ? 'must' : 'should';
      return { line, weight, keyword, name };
    });

/** R1.4: a user that is not root, code that it can't change, a place where it may write, and no secrets inside. */
export const userRules: readonly Rule[] = [
  r14.should(
    (file) => isRoot(file) && { line: last(file.final, 'USER')?.line ?? startLine(file) },
    'the app runs as root',
    'here, write: USER 65534:65534',
  ),
  r14.should(
    (file) => givenAway(file).map(({ line }) => ({ line })),
    'the running app can change its own code, which it owns',
    'remove --chown or this chown, and add: ENV RELEASE_TMP=/tmp',
  ),
  r14.must(
    (file) => {
      const may = file.final.env.has('RELEASE_TMP') || givenAway(file).length || isRoot(file);
      return !may && { line: last(file.final, 'USER')?.line };
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
    ({ stages }) =>
      stages
        .flatMap(({ own }) => own)
        .filter(({ keyword, text }) => keyword === 'ENV' && /^\w+\s+[^=\s]/.test(text))
        .flatMap(({ line, pairs: [pair] }) =>
          pair ? { line, name: pair[0], value: pair[1] } : [],
        ),
    'ENV with a space is the old form, which Docker warns of',
    ({ name, value }) => `write: ENV ${name}=${/\s/.test(value) ? JSON.stringify(value) : value}`,
  ),
];
