import { type Call, type Clause, callOf, type Expr } from './expr.ts';
import type { SyntaxNode } from './parser.ts';
import { isWordList, sigilName, textOf, wordList } from './strings.ts';

/** Deeper than this an expression stays unread, so that what walks over it needs no guard of its own. */
const DEEPEST = 250;

const IGNORED = new Set(
  'Comment ( ) [ ] { } << >> do end else fn ⚠ #{ after rescue catch'.split(' '),
);
const OPERATORS = new Set(['Operator', 'WordOperator']);

/** Child nodes that mean something: no brackets, keywords or comments. */
export function children(node: SyntaxNode | null | undefined): SyntaxNode[] {
  const all: SyntaxNode[] = [];
  for (let child = node?.firstChild; child; child = child.nextSibling)
    if (!IGNORED.has(child.name)) all.push(child);
  return all;
}

const named = (nodes: readonly SyntaxNode[], name: string): SyntaxNode | undefined =>
  nodes.find((node) => node.name === name);

/** Turns lezer's parse tree into ours. */
export class Reader {
  private readonly text: string;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The expressions directly below a node. */
  all(node: SyntaxNode | undefined): Expr[] {
    return children(node).map((child) => this.read(child));
  }

  source({ from, to }: SyntaxNode): string {
    return this.text.slice(from, to);
  }

  private read(node: SyntaxNode): Expr {
    const read = this.depth < DEEPEST ? READERS[node.name] : undefined;
    if (!read) return { is: 'other', offset: node.from, text: this.source(node).slice(0, 80) };
    this.depth++;
    const expr = read.call(this, node);
    this.depth--;
    return expr ?? { is: 'other', offset: node.from, text: this.source(node).slice(0, 80) };
  }

  /** Like `all`; keywords inside brackets belong to the list itself, as a call's last argument they are a list of their own. */
  spread(node: SyntaxNode | undefined): Expr[] {
    return children(node).flatMap((child) =>
      child.name === 'Keywords' ? this.all(child) : [this.read(child)],
    );
  }

  first(node: SyntaxNode | undefined): Expr | undefined {
    return node && this.read(node);
  }

  string(node: SyntaxNode): Expr {
    const heredoc = this.source(node).startsWith('"""');
    return { is: 'string', offset: node.from, parts: this.parts(children(node), heredoc) };
  }

  sigil(node: SyntaxNode): Expr {
    const kids = children(node);
    const parts = this.parts(kids, false);
    const name = sigilName(kids, this.text);
    return isWordList(name, parts)
      ? wordList(node.from, parts.join(''), name)
      : { is: 'string', offset: node.from, parts };
  }

  /** Text and interpolated expressions of a string, escapes resolved. */
  private parts(kids: readonly SyntaxNode[], heredoc: boolean): (string | Expr)[] {
    return kids.flatMap((kid): (string | Expr)[] =>
      kid.name === 'Interpolation' ? this.all(kid) : textOf(kid.name, this.source(kid), heredoc),
    );
  }

  pair(node: SyntaxNode): Expr | undefined {
    const [key, value] = children(node);
    if (!key || !value) return undefined;
    const name = this.source(key)
      .replace(/:$/, '')
      .replace(/^"(.*)"$/s, '$1');
    const items: Expr[] = [{ is: 'atom', offset: key.from, name }, this.read(value)];
    return { is: 'tuple', offset: node.from, items };
  }

  attribute(node: SyntaxNode): Expr | undefined {
    const target = this.first(children(node).find((kid) => kid.name !== 'Operator'));
    if (target?.is !== 'variable' && target?.is !== 'call') return undefined;
    const value = target.is === 'call' ? target.args[0] : undefined;
    return { is: 'attribute', offset: node.from, name: target.name, value };
  }

  operator(node: SyntaxNode): Expr {
    const kids = children(node);
    const name = kids
      .filter((kid) => OPERATORS.has(kid.name))
      .map((kid) => this.source(kid))
      .join(' ');
    const operands = kids.filter((kid) => !OPERATORS.has(kid.name)).map((kid) => this.read(kid));
    return { is: 'operator', offset: node.from, name, operands };
  }

  /** `a |> f(b) |> g()` is `g(f(a, b))`. The grammar takes `|>` for right-associative, so its steps are put in order here. */
  pipe(node: SyntaxNode): Expr | undefined {
    const steps: SyntaxNode[] = [];
    let rest: SyntaxNode | undefined = node;
    while (rest?.name === 'PipeOperator') {
      const [left, right]: SyntaxNode[] = children(rest).filter(({ name }) => !OPERATORS.has(name));
      if (left) steps.push(left);
      rest = right && children(right)[0];
    }
    if (!rest || steps.length > DEEPEST - this.depth) return undefined;
    return [...steps, rest]
      .map((step) => this.read(step))
      .reduce((piped, step) => {
        if (step.is === 'call') return { ...step, args: [piped, ...step.args] };
        if (step.is === 'variable') return callOf(step.offset, step.name, [piped]);
        return { is: 'operator', offset: step.offset, name: '|>', operands: [piped, step] };
      });
  }

  /** `&Module.name/1` as the function it stands for; other captures can't be followed. */
  capture(node: SyntaxNode): Expr | undefined {
    const captured = children(node).find((kid) => kid.name !== 'Operator');
    const [name, arity] =
      captured?.name === 'BinaryOperator'
        ? children(captured).filter((kid) => kid.name !== 'Operator')
        : [];
    const target = this.first(name);
    const count = arity ? Number(this.source(arity)) : Number.NaN;
    if ((target?.is !== 'call' && target?.is !== 'variable') || !(count >= 0 && count < 256))
      return undefined;
    const { offset } = target;
    const args = Array.from(
      { length: count },
      (_, index): Expr => ({ is: 'variable', offset, name: `&${index + 1}` }),
    );
    const called = callOf(offset, target.name, args, target.is === 'call' ? target.on : undefined);
    return { is: 'fn', offset, clauses: [{ patterns: args, body: [called] }] };
  }

  function(node: SyntaxNode): Expr {
    const clauses = children(node).filter((kid) => kid.name === 'StabClause');
    return { is: 'fn', offset: node.from, clauses: clauses.map((kid) => this.clause(kid)) };
  }

  call(node: SyntaxNode): Expr | undefined {
    const kids = children(node);
    const head = kids.find((kid) => kid.name !== 'Arguments' && kid.name !== 'DoBlock');
    if (!head) return undefined;
    const args = this.all(named(kids, 'Arguments'));
    const { blocks, clauses } = this.doBlock(named(kids, 'DoBlock'));
    const inline = blocks.do === undefined ? inlineBlocks(args.at(-1)) : undefined;
    if (inline) args.pop();
    const target =
      head.name === 'Dot' ? this.dotted(head, args) : callOf(node.from, this.source(head), args);
    if (target.is !== 'call') return target;
    return { ...target, offset: node.from, blocks: { ...blocks, ...inline }, clauses };
  }

  /** `left.right`: a module's longer name, or a call. */
  dotted(node: SyntaxNode, args: Expr[] = []): Expr {
    const [left, right] = children(node).filter((kid) => kid.name !== 'Operator');
    const name = right ? this.source(right) : '';
    const on = this.first(left);
    const inside = right?.firstChild;
    if (inside?.name === 'Tuple') return callOf(node.from, '{}', this.all(inside), on);
    if (inside?.name === 'Alias' && on?.is === 'call' && on.name === '__MODULE__')
      return { is: 'module', offset: node.from, name: `__MODULE__.${name}` };
    return callOf(node.from, name, args, on);
  }

  private doBlock(node: SyntaxNode | undefined): Pick<Call, 'blocks' | 'clauses'> {
    const blocks: Record<string, Expr[]> = {};
    const clauses: Clause[] = [];
    for (const kid of children(node)) {
      const other = /^(Else|After|Rescue|Catch)Block$/.exec(kid.name)?.[1]?.toLowerCase();
      // Clauses of a rescue or else are told apart by nothing that is known here: all of them count
      if (other)
        blocks[other] = children(kid).flatMap((part) =>
          part.name === 'StabClause' ? this.clause(part).body : [this.read(part)],
        );
      else if (kid.name === 'StabClause') clauses.push(this.clause(kid));
      else {
        blocks.do ??= [];
        blocks.do.push(this.read(kid));
      }
    }
    if (node && clauses.length === 0) blocks.do ??= [];
    return { blocks, clauses };
  }

  private clause(node: SyntaxNode): Clause {
    const kids = children(node);
    const guarded = named(kids, 'WhenOperator');
    const head = guarded ? children(guarded) : kids;
    return {
      patterns: this.spread(named(head, 'Arguments')),
      guard: this.spread(named(head, 'Right'))[0],
      body: this.spread(named(kids, 'Body')),
    };
  }
}

/** `if x, do: 1, else: 2` is the same call as its block form. */
function inlineBlocks(last: Expr | undefined): Record<string, Expr[]> | undefined {
  if (last?.is !== 'list') return undefined;
  const pairs = last.items.map((item): [string, Expr | undefined] =>
    item.is === 'tuple' && item.items[0]?.is === 'atom'
      ? [item.items[0].name, item.items[1]]
      : ['', undefined],
  );
  if (pairs[0]?.[0] !== 'do' || !pairs.every(([key]) => /^(do|else|after)$/.test(key)))
    return undefined;
  return Object.fromEntries(pairs.map(([key, value]) => [key, value ? [value] : []]));
}

type Read = (this: Reader, node: SyntaxNode) => Expr | undefined;

const literal = (value: (source: string) => number | boolean | null): Read =>
  function (node) {
    return { is: 'literal', offset: node.from, value: value(this.source(node)) };
  };
const number = literal((source) => Number(source.replaceAll('_', '')));
const string: Read = function (node) {
  return this.string(node);
};
const operator: Read = function (node) {
  return this.operator(node);
};
const call: Read = function (node) {
  return this.call(node);
};
const variable: Read = function (node) {
  return { is: 'variable', offset: node.from, name: this.source(node) };
};

/** How each kind of node is read; what isn't here can't be followed. */
const READERS: Record<string, Read> = {
  Atom(node) {
    return { is: 'atom', offset: node.from, name: this.source(node).slice(1) };
  },
  QuotedAtom(node) {
    const parts = children(node).map((kid) => this.source(kid));
    return { is: 'atom', offset: node.from, name: parts.join('') };
  },
  Alias(node) {
    return { is: 'module', offset: node.from, name: this.source(node).replace(/\s+/g, '') };
  },
  Integer: number,
  Float: number,
  Boolean: literal((source) => source === 'true'),
  Nil: literal(() => null),
  String: string,
  Charlist: string,
  Sigil(node) {
    return this.sigil(node);
  },
  List(node) {
    return { is: 'list', offset: node.from, items: this.spread(node) };
  },
  Keywords(node) {
    return { is: 'list', offset: node.from, items: this.all(node) };
  },
  Pair(node) {
    return this.pair(node);
  },
  Tuple(node) {
    return { is: 'tuple', offset: node.from, items: this.all(node) };
  },
  Map(node) {
    const pairs = this.spread(named(children(node), 'MapContent'));
    return { is: 'map', offset: node.from, pairs };
  },
  Identifier: variable,
  UnderscoredIdentifier: variable,
  SpecialIdentifier(node) {
    return callOf(node.from, this.source(node), []);
  },
  Block(node) {
    const exprs = this.spread(node);
    return exprs.length === 1 ? exprs[0] : callOf(node.from, '__block__', exprs);
  },
  Right(node) {
    return this.all(node)[0];
  },
  AtOperator(node) {
    return this.attribute(node);
  },
  UnaryOperator: operator,
  BinaryOperator: operator,
  PipeOperator(node) {
    return this.pipe(node);
  },
  WhenOperator: operator,
  AccessCall(node) {
    const access: Expr = { is: 'module', offset: node.from, name: 'Access' };
    return callOf(node.from, 'get', this.spread(node), access);
  },
  CaptureOperator(node) {
    return this.capture(node);
  },
  AnonymousFunction(node) {
    return this.function(node);
  },
  Dot(node) {
    return this.dotted(node);
  },
  Call: call,
  KernelCall: call,
  FunctionDefinitionCall: call,
};
