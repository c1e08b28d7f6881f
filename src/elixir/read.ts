import { type Call, type Clause, callOf, type Expr, option } from './expr.ts';
import type { SyntaxNode } from './parser.ts';

/** Deeper than this nothing is read, so that what walks over it needs no guard of its own. */
const DEEPEST = 500;
const OPERATORS = new Set(['Operator', 'WordOperator']);
const SKIPPED = new Set(
  'Comment ( ) [ ] { } << >> do end else fn ⚠ #{ after rescue catch'.split(' '),
);

/** A node of the parser's tree with what means something in it: no brackets, keywords or comments. */
interface Node {
  name: string;
  offset: number;
  text: string;
  /** The operators directly in it, by a space. */
  sign: string;
  kids: Node[];
}

/** What an expression is, without its offset. */
type Shape = Expr extends infer Each
  ? Each extends Expr
    ? Omit<Each, 'offset'> & { offset?: number }
    : never
  : never;

/** Turns the parser's tree into ours. */
export const readTree = (root: SyntaxNode, text: string): Expr[] =>
  nodeOf(root, text, 0).kids.map(read);

function nodeOf(node: SyntaxNode, source: string, depth: number): Node {
  const text = source.slice(node.from, node.to);
  const signs: string[] = [];
  const kids: Node[] = [];
  for (let child = node.firstChild; child && depth < DEEPEST; child = child.nextSibling) {
    if (OPERATORS.has(child.name)) signs.push(source.slice(child.from, child.to));
    else if (!SKIPPED.has(child.name)) kids.push(nodeOf(child, source, depth + 1));
  }
  const name = depth < DEEPEST ? node.name : 'too deep';
  return { name, offset: node.from, text, sign: signs.join(' '), kids };
}

function read(node: Node): Expr {
  const shape = READERS[node.name]?.(node) ?? { is: 'other', text: node.text.slice(0, 80) };
  return { offset: node.offset, ...shape };
}

const named = (nodes: readonly Node[], name: string): Node | undefined =>
  nodes.find((node) => node.name === name);

/** Keywords inside brackets belong to the list itself; as a call's last argument they are a list of their own. */
const spread = (kids: readonly Node[] = []): Expr[] =>
  kids.flatMap((kid) => (kid.name === 'Keywords' ? kid.kids.map(read) : [read(kid)]));

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r' };

/** Text and interpolated expressions of a string. */
const partsOf = (kids: readonly Node[]): (string | Expr)[] =>
  kids.flatMap((kid): (string | Expr)[] => {
    if (kid.name === 'Interpolation') return kid.kids.map(read);
    if (kid.name === 'QuotedContent') return [kid.text];
    const escaped = kid.text.slice(1);
    return kid.name === 'EscapeSequence' ? [ESCAPES[escaped] ?? escaped] : [];
  });

/** `~w(a b)` is a list; any other sigil is the text in it. */
function sigil({ kids, offset }: Node): Shape {
  const parts = partsOf(kids);
  const isWords = /^w$/i.test(named(kids, 'SigilName')?.text ?? '');
  if (!isWords || parts.some((part) => typeof part !== 'string')) return { is: 'string', parts };
  const isAtoms = named(kids, 'SigilModifiers')?.text.includes('a');
  const words = parts.join('').split(/\s+/).filter(Boolean);
  const items = words.map(
    (word): Expr =>
      isAtoms ? { is: 'atom', offset, name: word } : { is: 'string', offset, parts: [word] },
  );
  return { is: 'list', items };
}

function pair({ kids: [key, value] }: Node): Shape | undefined {
  if (!key || !value) return undefined;
  const name = key.text.replace(/:$/, '').replace(/^"(.*)"$/s, '$1');
  return { is: 'tuple', items: [{ is: 'atom', offset: key.offset, name }, read(value)] };
}

function attribute({ kids: [kid] }: Node): Shape | undefined {
  const target = kid && read(kid);
  if (target?.is !== 'variable' && target?.is !== 'call') return undefined;
  return {
    is: 'attribute',
    name: target.name,
    value: target.is === 'call' ? target.args[0] : undefined,
  };
}

const operator = ({ sign, kids }: Node): Shape => ({
  is: 'operator',
  name: sign,
  operands: kids.map(read),
});

/** `a |> f(b) |> g()` is `g(f(a, b))`. The grammar takes `|>` for right-associative, so its steps are put in order here. */
function pipe(node: Node): Shape {
  const steps: Node[] = [];
  let rest: Node | undefined = node;
  while (rest?.name === 'PipeOperator') {
    const [left, right]: Node[] = rest.kids;
    if (left) steps.push(left);
    rest = right?.kids[0];
  }
  return [...steps, ...(rest ? [rest] : [])].map(read).reduce((piped, step) => {
    if (step.is === 'call') return { ...step, args: [piped, ...step.args] };
    if (step.is === 'variable') return callOf(step.offset, step.name, [piped]);
    return { is: 'operator', offset: step.offset, name: '|>', operands: [piped, step] };
  });
}

/** `&Module.name/1` as the function it stands for; other captures can't be followed. */
function capture({ offset, kids: [captured] }: Node): Shape | undefined {
  const [name, arity] = captured?.name === 'BinaryOperator' ? captured.kids : [];
  const target = name && read(name);
  if ((target?.is !== 'call' && target?.is !== 'variable') || !/^\d{1,2}$/.test(arity?.text ?? ''))
    return undefined;
  const args = Array.from(
    { length: Number(arity?.text) },
    (_, index): Expr => ({ is: 'variable', offset, name: `&${index + 1}` }),
  );
  const called = callOf(offset, target.name, args, target.is === 'call' ? target.on : undefined);
  return { is: 'fn', clauses: [{ patterns: args, body: [called] }] };
}

function call({ offset, kids }: Node): Shape | undefined {
  const head = kids.find(({ name }) => name !== 'Arguments' && name !== 'DoBlock');
  if (!head) return undefined;
  const args = named(kids, 'Arguments')?.kids.map(read) ?? [];
  const block = named(kids, 'DoBlock');
  const { blocks, clauses } = block ? doBlock(block) : { blocks: inline(args), clauses: [] };
  const target = head.name === 'Dot' ? dotted(head, args) : callOf(offset, head.text, args);
  return { ...target, offset, blocks, clauses };
}

/** `left.right`: a module's longer name, or a call. */
function dotted({ offset, kids: [left, right] }: Node, args: Expr[] = []): Call {
  const on = left && read(left);
  const inside = right?.kids[0];
  if (inside?.name === 'Tuple') return callOf(offset, '{}', inside.kids.map(read), on);
  return callOf(offset, right?.text ?? '', args, on);
}

/** `__MODULE__.Name`, or a call. */
function dot(node: Node): Shape {
  const { on, name, ...rest } = dotted(node);
  return on?.is === 'call' && on.name === '__MODULE__' && /^[A-Z]/.test(name)
    ? { is: 'module', name: `__MODULE__.${name}` }
    : { on, name, ...rest };
}

function doBlock({ kids }: Node): Pick<Call, 'blocks' | 'clauses'> {
  const blocks: Record<string, Expr[]> = {};
  const clauses: Clause[] = [];
  const body: Expr[] = [];
  for (const kid of kids) {
    const other = /^(Else|After|Rescue|Catch)Block$/.exec(kid.name)?.[1]?.toLowerCase();
    // Clauses of a rescue or else are told apart by nothing that is known here: all of them count
    if (other)
      blocks[other] = kid.kids.flatMap((part) =>
        part.name === 'StabClause' ? clause(part).body : [read(part)],
      );
    else if (kid.name === 'StabClause') clauses.push(clause(kid));
    else body.push(read(kid));
  }
  if (body.length || !clauses.length) blocks.do = body;
  return { blocks, clauses };
}

/** `if x, do: 1, else: 2` is the same call as its block form: takes the blocks out of the arguments. */
function inline(args: Expr[]): Record<string, Expr[]> {
  if (!option(args.at(-1), 'do')) return {};
  const last = args.pop();
  const blocks = ['do', 'else', 'after'].map((name) => [name, option(last, name)] as const);
  return Object.fromEntries(blocks.flatMap(([name, expr]) => (expr ? [[name, [expr]]] : [])));
}

function clause({ kids }: Node): Clause {
  const head = named(kids, 'WhenOperator')?.kids ?? kids;
  return {
    patterns: spread(named(head, 'Arguments')?.kids),
    guard: spread(named(head, 'Right')?.kids)[0],
    body: spread(named(kids, 'Body')?.kids),
  };
}

function block({ kids }: Node): Shape | undefined {
  const [only, ...more] = spread(kids);
  return more.length ? undefined : only;
}

type Read = (node: Node) => Shape | undefined;
const number: Read = ({ text }) => ({ is: 'literal', value: Number(text.replaceAll('_', '')) });
const string: Read = ({ kids }) => ({ is: 'string', parts: partsOf(kids) });
const variable: Read = ({ text }) => ({ is: 'variable', name: text });

/** How each kind of node is read; what isn't here can't be followed. */
const READERS: Record<string, Read> = {
  Atom: ({ text }) => ({ is: 'atom', name: text.slice(1) }),
  QuotedAtom: ({ kids }) => ({ is: 'atom', name: kids.map(({ text }) => text).join('') }),
  Alias: ({ text }) => ({ is: 'module', name: text.replace(/\s+/g, '') }),
  Integer: number,
  Float: number,
  Boolean: ({ text }) => ({ is: 'literal', value: text === 'true' }),
  Nil: () => ({ is: 'literal', value: null }),
  String: string,
  Charlist: string,
  Sigil: sigil,
  List: ({ kids }) => ({ is: 'list', items: spread(kids) }),
  Keywords: ({ kids }) => ({ is: 'list', items: kids.map(read) }),
  Pair: pair,
  Tuple: ({ kids }) => ({ is: 'tuple', items: kids.map(read) }),
  Map: ({ kids }) => ({ is: 'map', pairs: spread(named(kids, 'MapContent')?.kids) }),
  Identifier: variable,
  UnderscoredIdentifier: variable,
  SpecialIdentifier: ({ offset, text }) => callOf(offset, text, []),
  Block: block,
  Right: ({ kids: [kid] }) => kid && read(kid),
  AtOperator: attribute,
  UnaryOperator: operator,
  BinaryOperator: operator,
  WhenOperator: operator,
  PipeOperator: pipe,
  AccessCall: ({ offset, kids }) =>
    callOf(offset, 'get', spread(kids), { is: 'module', offset, name: 'Access' }),
  CaptureOperator: capture,
  AnonymousFunction: ({ kids }) => ({
    is: 'fn',
    clauses: kids.filter(({ name }) => name === 'StabClause').map(clause),
  }),
  Dot: dot,
  Call: call,
  KernelCall: call,
  FunctionDefinitionCall: call,
};
