import { below } from '../tree.ts';
import type { Project } from './detect.ts';

const SECRET_IMPORT = /^import_config[ (]+"([^"]*secret[^"]*)"/m;
/** `secret_key_base: "…"`, `password: "…"` */
const SECRET_VALUE = /(secret|password|token|salt|key|url|dsn)\w*: *"/;

/** The first config/prod.exs, of the app or of an umbrella's app, that imports a file of secrets. */
export function secretImport({
  projects,
  tree,
}: Project): { importer: string; file: string } | undefined {
  for (const { dir } of projects) {
    const importer = below(dir, 'config/prod.exs');
    const [, file] = SECRET_IMPORT.exec(tree.read(importer) ?? '') ?? [];
    if (file === undefined) continue;
    const text = tree.read(importer.replace(/[^/]*$/, file)) ?? '';
    // A committed file that only reads the environment holds no secrets
    const readsOnly = /System\.(get_env|fetch_env)/.test(text) && !SECRET_VALUE.test(text);
    if (!readsOnly) return { importer, file };
  }
  return undefined;
}
