/**
 * Draws docs/*.svg: screens of real runs in a pseudo-terminal, light and dark.
 * Usage: npm run pictures [NAME]; `prove` needs an app and an engine: npm run pictures prove ../shop [FLAGS]
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { spawn } from '@lydell/node-pty';
import xterm, { type IBufferCell } from '@xterm/headless';

const root = fileURLToPath(new URL('..', import.meta.url));
const COLUMNS = 96;
const ENTER = '\r';

const [only, app, ...flags] = process.argv.slice(2);

interface Picture {
  command: string;
  rows: number;
  /** The first rows, in place of the last ones. */
  isCut?: boolean;
  /** Folders of test/projects, one laid over the other. */
  projects: string[];
  /** What is typed once a text is on the screen. */
  typed: [seen: RegExp, keys: string][];
}

const PICTURES: Record<string, Picture> = {
  run: {
    command: 'fly',
    rows: 62,
    projects: ['stock-1.8'],
    typed: [
      [/Fly app name/, ENTER],
      [/Region\?/, 'london'],
      [/lhr/, ENTER],
      [/Postgres\?/, ENTER],
      [/Write \d+ files/, `y${ENTER}`],
    ],
  },
  check: {
    command: 'check',
    rows: 43,
    isCut: true,
    projects: ['stock-1.8', 'fly-launch'],
    typed: [],
  },
  prove: { command: 'prove', rows: 18, projects: [], typed: [] },
};

/** The 16 colours of a terminal, and what it paints without one. */
const THEMES = {
  light: {
    back: '#ffffff',
    fore: '#24292f',
    colors: [
      '#24292f',
      '#cf222e',
      '#116329',
      '#7d4e00',
      '#0969da',
      '#8250df',
      '#1b7c83',
      '#6e7781',
    ],
  },
  dark: {
    back: '#0d1117',
    fore: '#e6edf3',
    colors: [
      '#484f58',
      '#ff7b72',
      '#3fb950',
      '#d29922',
      '#58a6ff',
      '#bc8cff',
      '#39c5cf',
      '#b1bac4',
    ],
  },
};

async function record({ command, rows, typed }: Picture, folder: string) {
  const terminal = new xterm.Terminal({
    cols: COLUMNS,
    rows,
    scrollback: 1000,
    allowProposedApi: true,
  });
  const env = {
    ...process.env,
    TERM: 'xterm-256color',
    FORCE_COLOR: '1',
    PAGER: 'cat',
    HOME: folder,
    NODE_OPTIONS: '',
  };
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), join(root, 'bin/phoenix-fly.ts'), command, ...flags],
    { cols: COLUMNS, rows, cwd: folder, env },
  );
  const ended = new Promise<void>((resolve) => child.onExit(() => resolve()));
  child.onData((data) => terminal.write(data));
  const shown = () =>
    Array.from({ length: rows }, (_, row) => lineText(terminal.buffer.active, row)).join('\n');
  for (const [seen, keys] of typed) {
    for (let tries = 0; !seen.test(shown()); tries++) {
      if (tries > 400) throw new Error(`${seen} never showed:\n${shown()}`);
      await sleep(100);
    }
    await sleep(500);
    child.write(keys);
    await sleep(500);
  }
  await ended;
  await new Promise<void>((resolve) => terminal.write('', resolve));
  return terminal.buffer.active;
}

const lineText = (screen: Screen, row: number): string =>
  screen.getLine(screen.baseY + row)?.translateToString(true) ?? '';

const markup = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function cellStyle(cell: IBufferCell, theme: (typeof THEMES)['light']): string {
  const color = cell.isFgDefault() ? '' : theme.colors[cell.getFgColor() % 8];
  return [
    color ? `fill="${color}"` : '',
    cell.isBold() ? 'font-weight="bold"' : '',
    cell.isDim() ? 'opacity="0.6"' : '',
  ]
    .filter(Boolean)
    .join(' ');
}

type Screen = Awaited<ReturnType<typeof record>>;

/** Runs of one style of a line, each with its column. */
function* spans(screen: Screen, y: number, theme: (typeof THEMES)['light']) {
  const line = screen.getLine(y);
  let span = { x: 0, style: '', text: '' };
  for (let x = 0; x < COLUMNS; x++) {
    const cell = line?.getCell(x);
    if (!cell) break;
    const style = cellStyle(cell, theme);
    if (style !== span.style) {
      if (span.text.trim()) yield span;
      span = { x, style, text: '' };
    }
    span.text += cell.getChars() || ' ';
  }
  if (span.text.trim()) yield span;
}

function svg(
  screen: Screen,
  { command, rows, isCut }: Picture,
  theme: (typeof THEMES)['light'],
): string {
  const end = Array.from({ length: screen.length }, (_, y) => y).findLast((y) =>
    screen.getLine(y)?.translateToString(true),
  );
  const last = isCut ? rows - 1 : (end ?? 0);
  const first = Math.max(0, last - rows + 1);
  const lines = Array.from({ length: last - first + 1 }, (_, row) =>
    [...spans(screen, first + row, theme)]
      .map(
        ({ x, style, text }) =>
          `<text x="${12 + x * 8.4}" y="${28 + row * 19}" xml:space="preserve"${style ? ` ${style}` : ''}>${markup(text.trimEnd())}</text>`,
      )
      .join(''),
  );
  const [width, height] = [Math.ceil(COLUMNS * 8.4) + 24, lines.length * 19 + 28];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<title>phoenix-fly ${command}</title>
<rect width="100%" height="100%" rx="8" fill="${theme.back}"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="${theme.fore}">
${lines.join('\n')}
</g>
</svg>
`;
}

for (const [name, picture] of Object.entries(PICTURES)) {
  if (only ? name !== only : name === 'prove') continue;
  const home = mkdtempSync(join(tmpdir(), 'pictures-'));
  const folder = app ?? join(home, 'shop');
  for (const project of app ? [] : picture.projects)
    cpSync(join(root, 'test/projects', project, 'before'), folder, { recursive: true });
  const screen = await record(picture, folder);
  mkdirSync(join(root, 'docs'), { recursive: true });
  for (const [theme, colors] of Object.entries(THEMES))
    writeFileSync(join(root, `docs/${name}-${theme}.svg`), svg(screen, picture, colors));
  rmSync(home, { recursive: true });
}
