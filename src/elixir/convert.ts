import { type Call, type Clause, type Expr, makeCall, option } from './expr.ts';
import type { Node } from './parser.ts';

/** What a converter returns: an expression that starts where its node starts, unless it has its own `offset`. */
type Converted = Expr extends infer Variant
  ? Variant extends Expr
    ? Omit<Variant, 'offset'> & { offset?: number }
    : never
  : never;

/** Converts the parser's tree to expressions. */
export const convertTree = (root: Node): Expr[] => root.children.map(convert);

function convert(node: Node): Expr {
  const converted = CONVERTERS[node.name]?.(node);
  const { offset, text } = node;
  return { offset, ...(converted ?? { is: 'unsupported', text: text.slice(0, 80) }) };
}

const findByName = (nodes: readonly Node[], name: string): Node | undefined =>
  nodes.find((node) => node.name === name);

/** Items between brackets: keywords among them belong to the list, not to a list of their own as in a call's arguments. */
const convertItems = (nodes: readonly Node[] = []): Expr[] =>
  nodes.flatMap((node) =>
    node.name === 'Keywords' ? node.children.map(convert) : [convert(node)],
  );

/** The items in the child node of a name. */
const itemsOf = (nodes: readonly Node[], name: string): Expr[] =>
  convertItems(findByName(nodes, name)?.children);

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r' };

/** Text and interpolated expressions of a string. */
const stringParts = (nodes: readonly Node[]): (string | Expr)[] =>
  nodes.flatMap((node): (string | Expr)[] => {
    if (node.name === 'Interpolation') return node.children.map(convert);
    if (node.name === 'QuotedContent') return [node.text];
    const escaped = node.text.slice(1);
    return node.name === 'EscapeSequence' ? [ESCAPES[escaped] ?? escaped] : [];
  });

/** `~w(a b)` is a list; `~r/a/` is no value here, as no text; any other sigil counts as a string. */
function convertSigil({ children, offset }: Node): Converted | undefined {
  const parts = stringParts(children);
  const name = findByName(children, 'SigilName')?.text.toLowerCase();
  if (name === 'r') return undefined;
  if (name !== 'w' || parts.some((part) => typeof part !== 'string'))
    return { is: 'string', parts };
  const isAtomList = findByName(children, 'SigilModifiers')?.text.includes('a');
  const words = parts.join('').split(/\s+/).filter(Boolean);
  const items = words.map(
    (word): Expr =>
      isAtomList ? { is: 'atom', offset, name: word } : { is: 'string', offset, parts: [word] },
  );
  return { is: 'list', items };
}

function convertPair({ children: [key, value] }: Node): Converted | undefined {
  if (!key || !value) return undefined;
  const name = key.text.replace(/:$/, '').replace(/^"(.*)"$/s, '$1');
  return { is: 'tuple', items: [{ is: 'atom', offset: key.offset, name }, convert(value)] };
}

/** `@name`, or `@name value`, which the grammar takes for a call. */
function convertAttribute({ children: [child] }: Node): Converted | undefined {
  const target = child && convert(child);
  if (target?.is === 'variable') return { is: 'attribute', name: target.name, value: undefined };
  if (target?.is === 'call') return { is: 'attribute', name: target.name, value: target.args[0] };
  return undefined;
}

const convertOperator = ({ operator, children }: Node): Converted => ({
  is: 'operator',
  name: operator,
  operands: children.map(convert),
});

/** `a |> f(b) |> g()` becomes `g(f(a, b))`. The grammar takes `|>` for right-associative, so the steps are collected first. */
function convertPipe(node: Node): Converted {
  const steps: Node[] = [];
  let rest: Node | undefined = node;
  while (rest?.name === 'PipeOperator') {
    const [left, right]: Node[] = rest.children;
    if (left) steps.push(left);
    rest = right?.children[0];
  }
  if (rest) steps.push(rest);
  return steps.map(convert).reduce((piped, step) => {
    if (step.is === 'call') return { ...step, args: [piped, ...step.args] };
    return makeCall(step.offset, step.is === 'variable' ? step.name : '', [piped]);
  });
}

/** `&Shop.name/1` becomes `fn &1 -> Shop.name(&1) end`; other captures are unsupported. */
function convertCapture({ offset, children: [captured] }: Node): Converted | undefined {
  const [name, arity] = captured?.name === 'BinaryOperator' ? captured.children : [];
  if (!name || !/^\d{1,2}$/.test(arity?.text ?? '')) return undefined;
  const target = convert(name);
  if (target.is !== 'call' && target.is !== 'variable') return undefined;
  const args = Array.from(
    { length: Number(arity?.text) },
    (_, index): Expr => ({ is: 'variable', offset, name: `&${index + 1}` }),
  );
  const module = target.is === 'call' ? target.target : undefined;
  const body = [makeCall(offset, target.name, args, module)];
  return { is: 'fn', clauses: [{ patterns: args, body }] };
}

function convertCall({ offset, children }: Node): Converted | undefined {
  const head = children.find(({ name }) => name !== 'Arguments' && name !== 'DoBlock');
  if (!head) return undefined;
  const args = findByName(children, 'Arguments')?.children.map(convert) ?? [];
  const block = findByName(children, 'DoBlock');
  const parts = block ? doBlock(block) : { blocks: takeInlineBlocks(args), clauses: [] };
  const call = head.name === 'Dot' ? dotCall(head, args) : makeCall(offset, head.text, args);
  return { ...call, ...parts, offset };
}

/** `left.right(…)`, and `left.{A, B}` of an alias, whose name is `{}`. */
function dotCall({ offset, children: [left, right] }: Node, args: Expr[] = []): Call {
  const target = left && convert(left);
  const list = right?.children[0];
  if (list?.name === 'Tuple') return makeCall(offset, '{}', list.children.map(convert), target);
  return makeCall(offset, right?.text ?? '', args, target);
}

/** `__MODULE__.Name` is a module, any other `left.right` a call. */
function convertDot(node: Node): Converted {
  const call = dotCall(node);
  const isInModule = call.target?.is === 'call' && call.target.name === '__MODULE__';
  return isInModule && /^[A-Z]/.test(call.name)
    ? { is: 'module', name: `__MODULE__.${call.name}` }
    : call;
}

function doBlock({ children }: Node): Pick<Call, 'blocks' | 'clauses'> {
  const blocks: Record<string, Expr[]> = {};
  const clauses: Clause[] = [];
  const body: Expr[] = [];
  for (const node of children) {
    const [, section] = /^(Else|After|Rescue|Catch)Block$/.exec(node.name) ?? [];
    // Nothing here tells which clause of a rescue or else is taken: the bodies of all of them count
    if (section)
      blocks[section.toLowerCase()] = node.children.flatMap((part) =>
        part.name === 'StabClause' ? convertClause(part).body : [convert(part)],
      );
    else if (node.name === 'StabClause') clauses.push(convertClause(node));
    else body.push(convert(node));
  }
  if (body.length || !clauses.length) blocks.do = body;
  return { blocks, clauses };
}

/** `if x, do: 1, else: 2` is the same call as its block form: takes the blocks out of the arguments. */
function takeInlineBlocks(args: Expr[]): Record<string, Expr[]> {
  if (!option(args.at(-1), 'do')) return {};
  const keywords = args.pop();
  const blocks = ['do', 'else', 'after'].map((name) => [name, option(keywords, name)] as const);
  return Object.fromEntries(blocks.flatMap(([name, expr]) => (expr ? [[name, [expr]]] : [])));
}

function convertClause({ children }: Node): Clause {
  const head = findByName(children, 'WhenOperator')?.children ?? children;
  return {
    patterns: itemsOf(head, 'Arguments'),
    guard: itemsOf(head, 'Right')[0],
    body: itemsOf(children, 'Body'),
  };
}

/** `(expression)`; several statements in parentheses are unsupported. */
function convertBlock({ children }: Node): Converted | undefined {
  const statements = convertItems(children);
  return statements.length === 1 ? statements[0] : undefined;
}

type Converter = (node: Node) => Converted | undefined;
const literal = (value: boolean | number | null): Converted => ({ is: 'literal', value });
const convertNumber: Converter = ({ text }) => literal(Number(text.replaceAll('_', '')));
const convertString: Converter = ({ children }) => ({ is: 'string', parts: stringParts(children) });
const convertVariable: Converter = ({ text }) => ({ is: 'variable', name: text });

/** By the grammar's names of nodes; all others become `unsupported`. */
const CONVERTERS: Record<string, Converter> = {
  Atom: ({ text }) => ({ is: 'atom', name: text.slice(1) }),
  QuotedAtom: ({ children }) => ({ is: 'atom', name: children.map(({ text }) => text).join('') }),
  Alias: ({ text }) => ({ is: 'module', name: text.replace(/\s+/g, '') }),
  Integer: convertNumber,
  Float: convertNumber,
  Boolean: ({ text }) => literal(text === 'true'),
  Nil: () => literal(null),
  String: convertString,
  Charlist: convertString,
  Sigil: convertSigil,
  List: ({ children }) => ({ is: 'list', items: convertItems(children) }),
  Keywords: ({ children }) => ({ is: 'list', items: children.map(convert) }),
  Pair: convertPair,
  Tuple: ({ children }) => ({ is: 'tuple', items: children.map(convert) }),
  Map: ({ children }) => ({ is: 'map', pairs: itemsOf(children, 'MapContent') }),
  Identifier: convertVariable,
  UnderscoredIdentifier: convertVariable,
  SpecialIdentifier: ({ offset, text }) => makeCall(offset, text, []),
  Block: convertBlock,
  Right: ({ children: [child] }) => child && convert(child),
  AtOperator: convertAttribute,
  UnaryOperator: convertOperator,
  BinaryOperator: convertOperator,
  WhenOperator: convertOperator,
  PipeOperator: convertPipe,
  AccessCall: ({ offset, children }) =>
    makeCall(offset, 'get', convertItems(children), { is: 'module', offset, name: 'Access' }),
  CaptureOperator: convertCapture,
  AnonymousFunction: ({ children }) => ({
    is: 'fn',
    clauses: children.filter(({ name }) => name === 'StabClause').map(convertClause),
  }),
  Dot: convertDot,
  Call: convertCall,
  KernelCall: convertCall,
  FunctionDefinitionCall: convertCall,
};
