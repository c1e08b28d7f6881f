import { type Dockerfile, flag, last, type Step, sourceStage } from './dockerfile-model.ts';
import { DOCKERFILE } from './requirements.ts';
import { type Rule, rulesFor, when } from './rule.ts';

const rule = rulesFor(DOCKERFILE);

const SECRET =
  /(SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIALS?|COOKIE|DATABASE_URL|_DSN)/;
const PUBLIC = /PUBLIC|PUBLISHABLE|_ID$|_FILE$|_PATH$|FINGERPRINT|SITE_?KEY/;

/** A variable whose name says that nobody may read its value. */
export const isSecretName = (name: string): boolean =>
  SECRET.test(name.toUpperCase()) && !PUBLIC.test(name.toUpperCase());

/** An address with a password in it. */
export const hasPassword = (value: string): boolean => /:\/\/[^/:@\s]*:[^@\s]+@/.test(value);

const ROOT = /^(root|0)(:|$)/;
const runsAs = ({ final }: Dockerfile): string => last(final, 'USER')?.text.trim() ?? 'root';

/** Copies of the build that belong to another user than root. */
const givenAway = (file: Dockerfile): Step[] =>
  file.final.steps.filter((step) => {
    const owner = flag(step, 'chown');
    return step.keyword === 'COPY' && sourceStage(file, step) && owner && !ROOT.test(owner);
  });

/** `chown -R nobody /app`, `chown nobody /app`. */
const chowns = ({ final }: Dockerfile): Step[] =>
  final.steps.filter(
    ({ keyword, commands }) =>
      keyword === 'RUN' &&
      commands.some(
        ([command, ...rest]) =>
          command === 'chown' &&
          rest.some((word) => word.startsWith('-R') || /^\/?app\/?$/.test(word)) &&
          !rest.some((word) => ROOT.test(word)),
      ),
  );

/** ARGs and ENVs of some steps that hold secrets; an address counts when it has a password in it. */
const secretsIn = (steps: readonly Step[]) =>
  steps.flatMap(({ keyword, line, pairs }) =>
    pairs
      .filter(
        ([name, value]) => isSecretName(name) && !(name.endsWith('_URL') && !hasPassword(value)),
      )
      .map(([name, value]) => ({ line, keyword, name, value })),
  );

/** An ARG's value comes with each build; a short word such as "nokey" in an ENV is no secret of anybody's. */
const isReal = ({ keyword, value }: { keyword: string; value: string }): boolean =>
  keyword === 'ARG' || value.length >= 16 || value.includes('$');

const mendSecret = (name: string): string =>
  `remove it; at run time: fly secrets set ${name}=…; while building: RUN --mount=type=secret,id=${name} …`;

/** R1.4: a user that is not root, code that it can't change, a place where it may write, and no secrets inside. */
export const userRules: readonly Rule[] = [
  rule({
    id: 'R1.4',
    weight: 'should',
    find: (file) => {
      const { final } = file;
      const user = last(final, 'USER');
      const line = user?.line ?? last(final, 'CMD')?.line ?? final.line;
      return when(ROOT.test(runsAs(file)), { line, there: user !== undefined });
    },
    say: () => 'the app runs as root',
    mend: ({ there }) => `${there ? 'write' : 'before this line, add'}: USER 65534:65534`,
  }),
  rule({
    id: 'R1.4',
    weight: 'should',
    find: (file) => givenAway(file).map((step) => ({ line: step.line, to: flag(step, 'chown') })),
    say: ({ to }) => `the running app can change its own code (--chown=${to})`,
    mend: () => 'remove --chown, and add: ENV RELEASE_TMP=/tmp',
  }),
  rule({
    id: 'R1.4',
    weight: 'should',
    find: (file) => chowns(file).map(({ line }) => ({ line })),
    say: () => 'the folder of the code belongs to the running app',
    mend: () => 'remove this chown, and add: ENV RELEASE_TMP=/tmp',
  }),
  rule({
    id: 'R1.4',
    weight: 'must',
    find: (file) => {
      const writable = file.final.env.has('RELEASE_TMP') || givenAway(file).length;
      const may = writable || chowns(file).length || ROOT.test(runsAs(file));
      return when(!may, { line: last(file.final, 'USER')?.line });
    },
    say: () => 'the release writes to its tmp folder at boot, and may not',
    mend: () => 'before this line, add: ENV RELEASE_TMP=/tmp',
  }),
  rule({
    id: 'R1.4',
    weight: 'must',
    find: ({ final }) => secretsIn(final.steps).filter(isReal),
    say: ({ keyword, name }) =>
      `${keyword} ${name} stays in the image's history, where everybody reads it`,
    mend: ({ name }) => mendSecret(name),
  }),
  rule({
    id: 'R1.4',
    weight: 'should',
    find: ({ final, stages }) =>
      secretsIn(stages.flatMap(({ own }) => own)).filter(
        (found) => !isReal(found) || !final.steps.some(({ line }) => line === found.line),
      ),
    say: ({ keyword, name }) => `${keyword} ${name} stays in the builder's cache and its logs`,
    mend: ({ name }) => mendSecret(name),
  }),
  rule({
    id: 'R1.4',
    weight: 'advice',
    find: ({ stages }) => {
      const old = stages
        .flatMap(({ own }) => own)
        .filter(({ keyword, text }) => keyword === 'ENV' && /^\w+\s+[^=\s]/.test(text));
      return when(old.length, { line: old[0]?.line, old });
    },
    say: () => 'ENV with a space is the old form, which Docker warns of',
    mend: ({ old }) =>
      old
        .flatMap(({ line, pairs }) =>
          pairs.map(
            ([name, value]) =>
              `line ${line}: ENV ${name}=${/\s/.test(value) ? JSON.stringify(value) : value}`,
          ),
        )
        .join('\n'),
  }),
];
