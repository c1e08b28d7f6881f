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

const [onlyPicture, appFolder, ...flags] = process.argv.slice(2);

interface Picture {
  command: string;
  rows: number;
  /** Shows the first rows, not the last ones. */
  isCut?: boolean;
  /** Folders of test/projects, each copied over the one before. */
  projects: string[];
  /** What is typed when a text is on the screen. */
  typed: [prompt: RegExp, keys: string][];
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

interface Theme {
  background: string;
  text: string;
  /** The eight colours of a terminal: black, red, green, yellow, blue, magenta, cyan, white. */
  colors: string[];
}

const THEMES: Record<string, Theme> = {
  light: {
    background: '#ffffff',
    text: '#24292f',
    colors: '#24292f #cf222e #116329 #7d4e00 #0969da #8250df #1b7c83 #6e7781'.split(' '),
  },
  dark: {
    background: '#0d1117',
    text: '#e6edf3',
    colors: '#484f58 #ff7b72 #3fb950 #d29922 #58a6ff #bc8cff #39c5cf #b1bac4'.split(' '),
  },
};

type Screen = Awaited<ReturnType<typeof record>>;

/** Runs a command in a pseudo-terminal. @returns the screen when it has ended */
async function record({ command, rows, typed }: Picture, folder: string) {
  const options = { cols: COLUMNS, rows, scrollback: 1000, allowProposedApi: true };
  const terminal = new xterm.Terminal(options);
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
  for (const [prompt, keys] of typed) {
    await waitFor(prompt, () => screenText(terminal.buffer.active, rows));
    await sleep(500);
    child.write(keys);
    await sleep(500);
  }
  await ended;
  await new Promise<void>((resolve) => terminal.write('', resolve));
  return terminal.buffer.active;
}

/** Waits up to 40 seconds until a text is on the screen. */
async function waitFor(prompt: RegExp, shown: () => string): Promise<void> {
  for (let tries = 0; !prompt.test(shown()); tries++) {
    if (tries > 400) throw new Error(`${prompt} never showed:\n${shown()}`);
    await sleep(100);
  }
}

const lineText = (screen: Screen, y: number): string =>
  screen.getLine(y)?.translateToString(true) ?? '';

const screenText = (screen: Screen, rows: number): string =>
  Array.from({ length: rows }, (_, row) => lineText(screen, screen.baseY + row)).join('\n');

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function cellStyle(cell: IBufferCell, { colors }: Theme): string {
  const attributes: string[] = [];
  if (!cell.isFgDefault()) attributes.push(`fill="${colors[cell.getFgColor() % 8]}"`);
  if (cell.isBold()) attributes.push('font-weight="bold"');
  if (cell.isDim()) attributes.push('opacity="0.6"');
  return attributes.join(' ');
}

/** The stretches of a line that have one style, each with the column where it starts. */
function* spans(screen: Screen, y: number, theme: Theme) {
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

function lastLine(screen: Screen): number {
  let y = screen.length - 1;
  while (y > 0 && !lineText(screen, y)) y--;
  return y;
}

function svg(screen: Screen, { command, rows, isCut }: Picture, theme: Theme): string {
  const last = isCut ? rows - 1 : lastLine(screen);
  const first = Math.max(0, last - rows + 1);
  const lines: string[] = [];
  for (let y = first; y <= last; y++) {
    const top = 28 + (y - first) * 19;
    const texts = [...spans(screen, y, theme)].map(({ x, style, text }) => {
      const attributes = style ? ` ${style}` : '';
      return `<text x="${12 + x * 8.4}" y="${top}" xml:space="preserve"${attributes}>${escapeXml(text.trimEnd())}</text>`;
    });
    lines.push(texts.join(''));
  }
  const width = Math.ceil(COLUMNS * 8.4) + 24;
  const height = lines.length * 19 + 28;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<title>phoenix-fly ${command}</title>
<rect width="100%" height="100%" rx="8" fill="${theme.background}"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="${theme.text}">
${lines.join('\n')}
</g>
</svg>
`;
}

mkdirSync(join(root, 'docs'), { recursive: true });
for (const [name, picture] of Object.entries(PICTURES)) {
  const isWanted = onlyPicture ? name === onlyPicture : name !== 'prove';
  if (!isWanted) continue;
  const work = mkdtempSync(join(tmpdir(), 'pictures-'));
  const folder = appFolder ?? join(work, 'shop');
  for (const project of appFolder ? [] : picture.projects)
    cpSync(join(root, 'test/projects', project, 'before'), folder, { recursive: true });
  const screen = await record(picture, folder);
  for (const [theme, colors] of Object.entries(THEMES))
    writeFileSync(join(root, `docs/${name}-${theme}.svg`), svg(screen, picture, colors));
  rmSync(work, { recursive: true });
}
