/** Fly's rule for app names (flyctl plan_builder.go) plus DNS's 63 characters (superfly/flyctl#4283). */
export const isAppName = (name: string): boolean =>
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name);

/** The nearest app name: `my_app` becomes `my-app`. Three characters stay free for `-db`. */
export function toAppName(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 60)
    .replace(/-+$/, '');
  return isAppName(name) ? name : 'my-app';
}

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** A host name in lower case, without scheme, port or path. */
export const isHostName = (name: string): boolean =>
  name.length <= 253 &&
  name.includes('.') &&
  name.split('.').every((label) => LABEL.test(label)) &&
  !/^\d+$/.test(name.split('.').at(-1) ?? '');
