import type { parser } from 'lezer-elixir';
import { sigil, stringParts } from './strings.ts';
import type { Clause, Expr } from './syntax.ts';

export type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

const IGNORED = new Set([
  'Comment',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '<<',
  '>>',
  'do',
  'end',
  'else',
  'fn',
  '⚠',
  '#{',
  'after',
  'rescue',
  'catch',
]);

/** Child nodes that mean something: no brackets, keywords or comments. */
export function children(node: SyntaxNode): SyntaxNode[] {
  const all: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling)
    if (!IGNORED.has(child.name)) all.push(child);
  return all;
}

/** The expressions directly below a node of the parse tree. */
export const readNodes = (node: SyntaxNode, text: string): Expr[] =>
  children(node).map((kid) => read(kid, text));

function read(node: SyntaxNode, text: string): Expr {
  const at = node.from;
  const source = text.slice(node.from, node.to);
  const kids = children(node);
  const all = (nodes: SyntaxNode[]) => nodes.flatMap((kid) => spread(kid, text));
  const other: Expr = { is: 'other', at, text: source };
  const only = () => (kids[0] ? read(kids[0], text) : other);

  switch (node.name) {
    case 'Atom':
      return { is: 'atom', at, name: source.slice(1) };
    case 'QuotedAtom':
      return { is: 'atom', at, name: kids.map((kid) => text.slice(kid.from, kid.to)).join('') };
    case 'Alias':
      return { is: 'module', at, name: source.replace(/\s+/g, '') };
    case 'Integer':
    case 'Float':
      return { is: 'literal', at, value: Number(source.replaceAll('_', '')) };
    case 'Boolean':
      return { is: 'literal', at, value: source === 'true' };
    case 'Nil':
      return { is: 'literal', at, value: null };
    case 'String':
    case 'Charlist':
      return { is: 'string', at, parts: stringParts(kids, text, source.startsWith('"""')) };
    case 'Sigil':
      return sigil(node, text);
    case 'List':
      return { is: 'list', at, items: all(kids) };
    case 'Keywords':
      return { is: 'list', at, items: kids.map((kid) => read(kid, text)) };
    case 'Pair': {
      const [key, value] = kids;
      return key && value
        ? { is: 'tuple', at, items: [keyword(key, text), read(value, text)] }
        : other;
    }
    case 'Tuple':
      return { is: 'tuple', at, items: kids.map((kid) => read(kid, text)) };
    case 'Map': {
      const content = kids.find((kid) => kid.name === 'MapContent');
      return { is: 'map', at, pairs: content ? all(children(content)) : [] };
    }
    case 'Identifier':
    case 'UnderscoredIdentifier':
      return { is: 'variable', at, name: source };
    case 'SpecialIdentifier':
      return { is: 'call', at, on: undefined, name: source, args: [], blocks: {}, clauses: [] };
    case 'Block':
      return kids.length === 1
        ? only()
        : {
            is: 'call',
            at,
            on: undefined,
            name: '__block__',
            args: all(kids),
            blocks: {},
            clauses: [],
          };
    case 'Right':
      return only();
    case 'AtOperator': {
      const target = kids.find((kid) => kid.name !== 'Operator');
      const named = target && read(target, text);
      if (named?.is === 'variable')
        return { is: 'attribute', at, name: named.name, value: undefined };
      return named?.is === 'call'
        ? { is: 'attribute', at, name: named.name, value: named.args[0] }
        : other;
    }
    case 'UnaryOperator':
    case 'BinaryOperator':
    case 'PipeOperator':
    case 'WhenOperator': {
      const operators = kids.filter(
        (kid) => kid.name === 'Operator' || kid.name === 'WordOperator',
      );
      const operands = kids.filter((kid) => !operators.includes(kid)).map((kid) => read(kid, text));
      return {
        is: 'operator',
        at,
        name: operators.map((kid) => text.slice(kid.from, kid.to)).join(' '),
        operands,
      };
    }
    case 'AccessCall':
      return {
        is: 'call',
        at,
        on: { is: 'module', at, name: 'Access' },
        name: 'get',
        args: all(kids),
        blocks: {},
        clauses: [],
      };
    case 'CaptureOperator':
      return capture(kids.filter((kid) => kid.name !== 'Operator')[0], text) ?? other;
    case 'AnonymousFunction':
      return {
        is: 'fn',
        at,
        clauses: kids.filter((kid) => kid.name === 'StabClause').map((kid) => clause(kid, text)),
      };
    case 'Dot':
    case 'Call':
    case 'KernelCall':
    case 'FunctionDefinitionCall':
      return call(node, text) ?? other;
    default:
      return other;
  }
}

/** `&Module.name/1` as the function it stands for; other captures can't be followed. */
function capture(node: SyntaxNode | undefined, text: string): Expr | undefined {
  const [name, arity] =
    node?.name === 'BinaryOperator' ? children(node).filter((kid) => kid.name !== 'Operator') : [];
  const target = name && read(name, text);
  const count = arity ? Number(text.slice(arity.from, arity.to)) : NaN;
  if (!target || !(count >= 0) || (target.is !== 'call' && target.is !== 'variable'))
    return undefined;
  const args = Array.from(
    { length: count },
    (_, index): Expr => ({ is: 'variable', at: target.at, name: `&${index + 1}` }),
  );
  const called: Expr =
    target.is === 'call'
      ? { ...target, args }
      : {
          is: 'call',
          at: target.at,
          on: undefined,
          name: target.name,
          args,
          blocks: {},
          clauses: [],
        };
  return { is: 'fn', at: target.at, clauses: [{ patterns: args, body: [called] }] };
}

/** Keywords inside brackets belong to the list itself; as a call's last argument they are a list of their own. */
function spread(node: SyntaxNode, text: string): Expr[] {
  return node.name === 'Keywords'
    ? children(node).map((kid) => read(kid, text))
    : [read(node, text)];
}

function keyword(node: SyntaxNode, text: string): Expr {
  const source = text.slice(node.from, node.to);
  return { is: 'atom', at: node.from, name: source.replace(/:$/, '').replace(/^"(.*)"$/s, '$1') };
}

function call(node: SyntaxNode, text: string): Expr | undefined {
  const at = node.from;
  const kids = children(node);
  const head = kids.find((kid) => kid.name !== 'Arguments' && kid.name !== 'DoBlock');
  if (node.name === 'Dot') return dotted(node, text, []);
  if (!head) return undefined;
  const argsNode = kids.find((kid) => kid.name === 'Arguments');
  const args = argsNode ? children(argsNode).map((kid) => read(kid, text)) : [];
  const { blocks, clauses } = doBlock(
    kids.find((kid) => kid.name === 'DoBlock'),
    text,
  );

  const last = args.at(-1);
  if (last?.is === 'list' && blocks.do === undefined) {
    const inline = inlineBlocks(last);
    if (inline) {
      Object.assign(blocks, inline);
      args.pop();
    }
  }
  if (head.name === 'Dot') {
    const target = dotted(head, text, args);
    return target.is === 'call' ? { ...target, at, blocks, clauses } : target;
  }
  return {
    is: 'call',
    at,
    on: undefined,
    name: text.slice(head.from, head.to),
    args,
    blocks,
    clauses,
  };
}

/** `if x, do: 1, else: 2` is the same call as its block form. */
function inlineBlocks(list: Extract<Expr, { is: 'list' }>): Record<string, Expr[]> | undefined {
  const pairs = list.items.map((item) =>
    item.is === 'tuple' && item.items[0]?.is === 'atom' ? [item.items[0].name, item.items[1]] : [],
  );
  if (
    pairs[0]?.[0] !== 'do' ||
    !pairs.every(([key]) => ['do', 'else', 'after'].includes(String(key)))
  )
    return undefined;
  return Object.fromEntries(pairs.map(([key, value]) => [String(key), [value as Expr]]));
}

function dotted(node: SyntaxNode, text: string, args: Expr[]): Expr {
  const kids = children(node).filter((kid) => kid.name !== 'Operator');
  const [left, right] = kids;
  const name = right ? text.slice(right.from, right.to) : '';
  const on = left ? read(left, text) : undefined;
  const isModule = right?.firstChild?.name === 'Alias';
  if (right?.firstChild?.name === 'Tuple')
    return {
      is: 'call',
      at: node.from,
      on,
      name: '{}',
      args: children(right.firstChild).map((kid) => read(kid, text)),
      blocks: {},
      clauses: [],
    };
  if (isModule && on?.is === 'call' && on.name === '__MODULE__')
    return { is: 'module', at: node.from, name: `__MODULE__.${name}` };
  return { is: 'call', at: node.from, on, name, args, blocks: {}, clauses: [] };
}

function doBlock(
  node: SyntaxNode | undefined,
  text: string,
): { blocks: Record<string, Expr[]>; clauses: Clause[] } {
  const blocks: Record<string, Expr[]> = {};
  const clauses: Clause[] = [];
  for (const kid of node ? children(node) : []) {
    const other = /^(Else|After|Rescue|Catch)Block$/.exec(kid.name)?.[1]?.toLowerCase();
    // Clauses of a rescue or else are told apart by nothing that is known here: all of them count
    if (other)
      blocks[other] = children(kid).flatMap((part) =>
        part.name === 'StabClause' ? clause(part, text).body : [read(part, text)],
      );
    else if (kid.name === 'StabClause') clauses.push(clause(kid, text));
    else {
      blocks.do ??= [];
      blocks.do.push(read(kid, text));
    }
  }
  if (node && clauses.length === 0) blocks.do ??= [];
  return { blocks, clauses };
}

function clause(node: SyntaxNode, text: string): Clause {
  const kids = children(node);
  const guarded = kids.find((kid) => kid.name === 'WhenOperator');
  const inside = (parent: SyntaxNode | undefined) =>
    parent ? children(parent).flatMap((kid) => spread(kid, text)) : [];
  const head = guarded ? children(guarded) : kids;
  return {
    patterns: inside(head.find((kid) => kid.name === 'Arguments')),
    guard: inside(head.find((kid) => kid.name === 'Right'))[0],
    body: inside(kids.find((kid) => kid.name === 'Body')),
  };
}
