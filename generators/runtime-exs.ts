import semver from 'semver';
import { runtimeFile } from '../src/docker/copies.ts';
import { intoBlock } from '../src/edit/block.ts';
import { atomName, get, type Value } from '../src/elixir/value.ts';
import type { GeneratedFile } from '../src/plan/file.ts';
import { elixirAtom, elixirModule } from '../src/quote.ts';
import { poolSize } from './fly-toml.ts';
import { portOf } from './shared.ts';

export const runtimeExs: GeneratedFile = {
  name: 'runtime-exs',
  summary: 'production settings, read when the release boots',
  asks: ['postgres', 'release'],
  outputs: ({ project, answers }) => {
    const { postgres } = answers;
    const repoLines = [];
    if (postgres.kind === 'managed')
      repoLines.push(
        '# The pooler may hand each transaction to another connection',
        'prepare: :unnamed,',
      );
    // max_lifetime came with db_connection 2.10.0; 2.10.1 mended it
    if (
      postgres.kind === 'managed' &&
      semver.gte(project.database.dbConnectionVersion ?? '0.0.0', '2.10.1')
    )
      repoLines.push(
        '# Renewed before the proxy cuts them after ten minutes',
        'max_lifetime: 480_000..540_000,',
      );
    if (postgres.kind === 'external')
      repoLines.push('# Over the open internet: encrypted', 'ssl: true,');
    const path = runtimeFile(project);
    return [
      {
        path,
        template: 'config/runtime.exs',
        view: {
          release: answers.release,
          otpApp: elixirAtom(project.app.otpApp),
          endpoint: elixirModule(project.endpoint.module),
          checkOrigin: !ownOrigins(get(project.endpoint.config, 'check_origin')),
          port: portOf(project),
          repos:
            postgres.kind === 'none'
              ? []
              : project.database.repos.map((module) => ({
                  module: elixirModule(module),
                  app: elixirAtom(project.database.repoApps.get(module) ?? project.app.otpApp),
                })),
          setDatabase: {
            app: 'fly postgres attach',
            managed: 'fly mpg attach',
            external: 'fly secrets set DATABASE_URL=ecto://...',
            none: '',
          }[postgres.kind],
          managed: postgres.kind === 'managed',
          poolSize: poolSize(answers),
          repoLines,
          // A closure can't be written to disk, which a release that reboots after configuration does
          matchFun: !project.release.rebootAfterConfig && path === 'config/runtime.exs',
        },
        merge: intoBlock(path, 'import Config'),
      },
    ];
  },
};

/** A list of the user's own stays: ours would replace it. `false` lets every site in, `:conn` fails behind the proxy (teiserver#1427). */
const ownOrigins = (value: Value | undefined): boolean =>
  value !== undefined && value !== null && typeof value !== 'boolean' && atomName(value) !== 'conn';
